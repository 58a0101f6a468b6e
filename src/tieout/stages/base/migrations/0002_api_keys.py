import tieout.stages.base.walls
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('base', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('organisation_id', models.UUIDField(default=tieout.stages.base.walls.current, editable=False)),
                ('name', models.CharField(max_length=200)),
                ('prefix', models.CharField(max_length=16)),
                ('sha256', models.CharField(max_length=64)),
                ('connection_id', models.BigIntegerField()),
                ('created_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation_id', 'prefix'), name='base_apikey_prefix')],
            },
        ),
    ]
