import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    # What a reading under way has met is not carried over: what it met before is asked for by name, or it stops for a person.

    dependencies = [("ledger", "0004_tieoutrun")]

    operations = [
        migrations.RunSQL("DELETE FROM ledger_seen", migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="seen", name="ledger_seen_once"),
        migrations.RemoveField(model_name="seen", name="external_id"),
        migrations.AddField(
            model_name="seen", name="external_ids", field=django.contrib.postgres.fields.ArrayField(models.TextField(), default=list, size=None),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="seen", index=models.Index(fields=["organisation_id", "connection", "stream", "generation"], name="ledger_seen_reading")
        ),
    ]
