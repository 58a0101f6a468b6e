"""One file per page: read the request, call one verb or one query, render plain values."""
