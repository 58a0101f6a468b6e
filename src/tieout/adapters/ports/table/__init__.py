"""Reading tables: what CSV files and spreadsheets share. Columns are understood whole, never cell by cell."""
