from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0002_connected_systems'),
    ]

    operations = [
        migrations.AlterField(
            model_name='connection',
            name='kind',
            field=models.CharField(
                choices=[
                    ('file', 'Files'), ('mailbox', 'Mailbox'), ('system', 'Connected system'), ('hand', 'Entered by hand'),
                    ('push', 'Pushed by another system'),
                ],
                max_length=16,
            ),
        ),
    ]
