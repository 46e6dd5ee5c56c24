"""A year of presence and of records, drawn in SQL, as the rules would have them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, LiteralString

if TYPE_CHECKING:
    from datetime import date

    from .live import Plant
    from .tables import Row

PEOPLE = 5000
DAYS = 365
ZONE: Final = "Asia/Kolkata"
SHIFTS: Final = {"Day": (9, 17), "Late": (14, 22), "Night": (22, 6)}
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def today() -> date:
    """Return the site's date, by an offset that never changes."""
    return (datetime.now(UTC) + timedelta(hours=5, minutes=30)).date()


def fill(site: Plant) -> Row:
    """Write everything up to yesterday, of which only what was seen has records."""
    last = today() - timedelta(days=1)
    first = last - timedelta(days=DAYS - 1)
    # Neither yesterday nor today.
    off = (last - timedelta(days=3)).weekday()
    began_s = time.perf_counter()
    database = site.database
    for statement in (FAST, SITE, DEPARTMENTS, PEOPLE_SQL):
        database.execute(statement, {"people": PEOPLE})
    for name, (start, end) in SHIFTS.items():
        row = {"name": name, "start": f"{start}:00", "end": f"{end}:00"}
        database.execute(SHIFT, {**row, "off": [WEEKDAYS[off]]})
    database.execute(ASSIGNMENTS, {"first": first})
    dates = {"first": first, "last": last, "off": (off + 1) % 7, "zone": ZONE}
    for statement in (DRAWN, EVENTS, RECORDS, FORGET, NUMBERS, ANALYZE):
        database.execute(statement, dates)
    counted = {table: _count(site, sql) for table, sql in COUNTS.items()}
    return {
        "people": PEOPLE,
        "days": DAYS,
        **counted,
        "MiB": site.rows(SIZE)[0][0],
        "written s": round(time.perf_counter() - began_s),
    }


def _count(site: Plant, sql: LiteralString) -> int:
    return int(site.rows(sql)[0][0])


FAST: Final = """
SELECT set_config('synchronous_commit', 'off', false),
       set_config('session_replication_role', 'replica', false),
       set_config('maintenance_work_mem', '256MB', false),
       setseed(0.25)
"""
SITE: Final = """
INSERT INTO streaming_site (id, name, slug, time_zone)
VALUES (1, 'Plant', 'plant', 'Asia/Kolkata')
"""
DEPARTMENTS: Final = """
INSERT INTO identity_department (id, site_id, name)
SELECT n, 1, 'Department ' || n FROM generate_series(1, 20) n
"""
PEOPLE_SQL: Final = """
INSERT INTO identity_employee
       (id, site_id, department_id, code, name, status, is_authorized, notes,
        created_at)
SELECT n, 1, 1 + n %% 20, 'E-' || n, 'Person ' || n, 'active', true, '', now()
FROM generate_series(1, %(people)s) n
"""
SHIFT: Final = """
INSERT INTO attendance_shift
       (site_id, shift_name, start_time, end_time, grace_period_minutes,
        weekly_off_days, is_active)
VALUES (1, %(name)s, %(start)s, %(end)s, 10, %(off)s, true)
"""
ASSIGNMENTS: Final = """
INSERT INTO attendance_shiftassignment (employee_id, shift_id, starts_on, created_at)
SELECT id, (ARRAY(SELECT id FROM attendance_shift ORDER BY id))[1 + id %% 3],
       %(first)s, now()
FROM identity_employee
"""
DRAWN: Final = """
CREATE TEMP TABLE drawn AS
WITH days AS (
    SELECT put.employee_id, put.shift_id, day::date AS on_date,
           extract(dow FROM day) = %(off)s AS is_off,
           (day::date + shift.start_time) AT TIME ZONE %(zone)s AS start_at,
           (day::date + (shift.end_time <= shift.start_time)::int + shift.end_time)
               AT TIME ZONE %(zone)s AS end_at,
           random() AS luck, random() AS early, random() AS late
    FROM attendance_shiftassignment put
    JOIN attendance_shift shift ON shift.id = put.shift_id
    CROSS JOIN generate_series(%(first)s::date, %(last)s::date, '1 day') day
), told AS (
    SELECT *, CASE WHEN is_off OR luck < 0.03 THEN NULL
                   ELSE date_trunc('second', start_at + interval '1 minute' * (
                       25 * early - 15 + CASE WHEN luck > 0.95 THEN 35 ELSE 0 END))
              END AS came
    FROM days
)
SELECT *, CASE WHEN luck > 0.04
               THEN date_trunc('second', end_at + interval '1 minute' * (20 * late - 1))
          END AS gone,
       2 * row_number() OVER () AS key
FROM told
"""
"""3 in 100 do not come, 5 are late, the exit of 1 is not seen, some leave early."""
EVENTS: Final = """
INSERT INTO attendance_presenceevent
       (id, event_id, employee_id, source, way, occurred_at, last_seen_at, session,
        recorded_at)
SELECT key + part, gen_random_uuid(), employee_id, 'api', way, at, at, '', at
FROM drawn CROSS JOIN LATERAL (
    VALUES (0, 'in', came), (1, 'out', gone)
) AS event (part, way, at)
WHERE came IS NOT NULL AND at IS NOT NULL
"""
RECORDS: Final = """
INSERT INTO attendance_attendancerecord
       (employee_id, attendance_date, shift_id, plan, is_weekly_off, start_at, end_at,
        grace_minutes, status, check_in_at, check_out_at, check_in_id, check_out_id,
        grace_period_applied, late_minutes, early_minutes, worked_minutes,
        overtime_minutes, unscheduled, reviews, closes_at, is_settled, recorded_at,
        changed_at)
SELECT employee_id, on_date, shift_id, CASE WHEN is_off THEN 'weekly_off' ELSE 'work'
       END, is_off, start_at, end_at, 10,
       CASE WHEN is_off THEN 'weekly_off' WHEN came IS NULL THEN 'absent'
            WHEN came > start_at + interval '10 minutes' THEN 'late' ELSE 'present' END,
       came, seen.gone, CASE WHEN came IS NOT NULL THEN key END,
       CASE WHEN seen.gone IS NOT NULL THEN key + 1 END,
       coalesce(came > start_at AND came <= start_at + interval '10 minutes', false),
       CASE WHEN came > start_at + interval '10 minutes'
            THEN floor(extract(epoch FROM came - start_at) / 60) ELSE 0 END,
       coalesce(greatest(floor(extract(epoch FROM end_at - seen.gone) / 60), 0), 0),
       floor(extract(epoch FROM seen.gone - came) / 60),
       CASE WHEN seen.gone IS NOT NULL
            THEN greatest(floor(extract(epoch FROM seen.gone - end_at) / 60), 0) END,
       false,
       CASE WHEN came IS NOT NULL AND seen.gone IS NULL
            THEN ARRAY['missing_check_out']
            WHEN seen.gone < end_at THEN ARRAY['early_exit'] ELSE '{}' END,
       end_at + interval '4 hours', on_date < %(last)s, now(), now()
FROM drawn CROSS JOIN LATERAL (
    SELECT CASE WHEN came IS NOT NULL THEN gone END AS gone
) AS seen
"""
FORGET: Final = """
DELETE FROM attendance_attendancerecord
WHERE attendance_date = %(last)s AND status = 'absent'
"""
"""What nobody has worked out yet."""
NUMBERS: Final = """
SELECT setval(pg_get_serial_sequence('attendance_presenceevent', 'id'),
              (SELECT max(id) FROM attendance_presenceevent)),
       setval(pg_get_serial_sequence('identity_employee', 'id'), 100000),
       setval(pg_get_serial_sequence('identity_department', 'id'), 100),
       setval(pg_get_serial_sequence('streaming_site', 'id'), 100)
"""
ANALYZE: Final = "ANALYZE"
COUNTS: Final[dict[str, LiteralString]] = {
    "events": "SELECT count(*) FROM attendance_presenceevent",
    "records": "SELECT count(*) FROM attendance_attendancerecord",
}
SIZE: Final = "SELECT pg_database_size(current_database()) / 1048576"
