"""liqwarn every week, by Dagster."""
