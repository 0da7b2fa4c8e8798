"""duckdb_join.py FOLDER: the query of bench/join.c in SQL, over the same files, on two threads. Says its version; then,
for every line that it reads, answers the query once, writes peer.csv, and says milliseconds and those of processor
time. The columns' types are told, so that DuckDB need not guess them, and they are its fastest that hold them."""
import csv
import sys
import time

import duckdb

folder = sys.argv[1]


def table(name, columns):
    return f"read_csv('{folder}/{name}.csv', header=true, auto_detect=false, columns={{'email': 'VARCHAR', {columns}}})"


QUERY = f"""
    SELECT segment, count(*), sum(spend), avg(spend), min(visits), max(visits)
    FROM {table("a", "'spend': 'DECIMAL(18,2)'")} a
    JOIN {table("b", "'segment': 'VARCHAR'")} b ON lower(trim(a.email)) = lower(trim(b.email))
    JOIN {table("c", "'visits': 'BIGINT'")} c ON lower(trim(a.email)) = lower(trim(c.email))
    GROUP BY segment HAVING count(*) >= 10 ORDER BY segment"""

database = duckdb.connect()
database.execute("SET threads = 2")
print(duckdb.__version__, flush=True)
for _ in sys.stdin:
    wall, cpu = time.monotonic(), time.process_time()
    rows = database.execute(QUERY).fetchall()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    with open(f"{folder}/peer.csv", "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(rows)
    print(wall * 1e3, cpu * 1e3, flush=True)  # last: whoever reads the line may read the file
