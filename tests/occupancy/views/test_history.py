"""What was counted before, as a browser gets it without its scripts, and as a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from identity.views.filters import NO_DATE, NO_ORDER
from occupancy import aggregation
from occupancy.views import asked
from occupancy.views.history import COLUMNS
from streaming.vision.types import Label
from tests.factories import make_area, make_camera, make_line, make_site
from tests.occupancy.views.conftest import NOW
from tests.pages import text

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from identity.models import User
    from occupancy.models import Area, CountingLine
    from streaming.models import Site
    from tests.occupancy.views.conftest import Cross

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

QUERIES_MAX = 20
BERLIN = ZoneInfo("Europe/Berlin")
PAGE = "/occupancy/history"


def rows(page: Any) -> str:
    """Return the words of the table, a bar between its cells."""
    table = page.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    cells = table.replace("</td>", " | </td>").replace("</th>", " | </th>")
    cells = cells.replace("</tr>", "\n")
    return re.sub(r" +", " ", re.sub(r"<[^>]+>", "", cells))


def lines(client: Client, query: str) -> list[dict[str, str]]:
    page = client.get(f"{PAGE}.csv?{query}")
    assert page.status_code == 200
    assert page.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(page.content.decode("utf-8-sig"))))


@pytest.fixture
def day(site: Site, hall: Area, front: CountingLine, cross: Cross) -> None:
    """Have two come in at nine and one now; a week before it was three, at nine."""
    cross(front, ago=7 * 24 * 60 + 70, times=3)
    cross(front, ago=70, times=2)
    cross(front, "out", ago=60)
    cross(front, ago=5)
    aggregation.catch_up(site=site, now=NOW)


class TestHistory:
    def test_is_of_today_by_the_hour_where_nothing_is_asked_for(
        self, security: Client, day: None
    ) -> None:
        page = security.get(PAGE)

        assert "Hall A: 3 in, 1 out, 5 inside now" in text(page)
        told = rows(page)
        assert "Wed 11 Mar 09:00 | 2 | 1 | 3.7 | 5 | 3 | 3 | 1.5 |" in told
        assert "Wed 11 Mar 10:00 so far | 1 | 0 | when it is over | | 0 | 3.0 |" in told
        assert "11:00" not in told

    def test_tells_when_most_were_inside(
        self,
        security: Client,
        site: Site,
        hall: Area,
        front: CountingLine,
        cross: Cross,
    ) -> None:
        cross(front, ago=130, times=3)
        cross(front, "out", ago=70)
        aggregation.catch_up(site=site, now=NOW)

        page = text(security.get(PAGE))

        assert "2 inside now, at most 3 inside Wed 11 Mar 08:00" in page

    def test_draws_both_charts_with_what_was_before(
        self, security: Client, day: None
    ) -> None:
        page = security.get(PAGE).content.decode()

        words = "Wed 11 Mar 09:00: 2 in, 1 out; 3 in before"
        assert page.count(f"<title>{words}</title>") == 2
        assert "Wed 11 Mar 09:00: 3.7 inside on average, 3 to 5" in page
        assert page.count('class="chart-plot"') == 2

    def test_is_by_day_of_four_weeks(self, security: Client, day: None) -> None:
        page = security.get(f"{PAGE}?by=day")

        assert "Hall A: 6 in, 1 out" in text(page)
        told = rows(page)
        assert "Wed 04 Mar 2026 | 3 | 0 | 2.9 | 3 | 0 | | |" in told
        assert "Wed 11 Mar 2026 so far | 3 | 1 |" in told
        assert "Thu 12 Feb 2026 | not counted | |" in told

    def test_is_by_month_of_a_year(self, security: Client, day: None) -> None:
        page = security.get(f"{PAGE}?by=month")

        assert "March 2026 so far | 6 | 1 |" in rows(page)
        assert rows(page).count("not counted") == 12

    def test_is_of_a_camera_and_of_vehicles(
        self, security: Client, day: None, back: CountingLine, cross: Cross
    ) -> None:
        cross(back, label=Label.TRUCK)

        page = security.get(f"{PAGE}?place=camera-CAM-BACK&kind=vehicles")

        assert "Back door (CAM-BACK): 1 in, 0 out" in text(page)

    def test_shows_hours_of_a_day_when_the_clock_is_put_back(
        self,
        client: Client,
        sam: User,
        site: Site,
        front: CountingLine,
        cross: Cross,
    ) -> None:
        site.time_zone = "Europe/Berlin"
        site.save()
        now = datetime(2026, 10, 26, 12, tzinfo=BERLIN)
        with time_machine.travel(now, tick=False):
            second = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN)
            cross(front, ago=int((NOW - second).total_seconds() // 60))
            aggregation.catch_up(site=site, now=now)
            client.force_login(sam)
            page = client.get(f"{PAGE}?from=2026-10-25&to=2026-10-25")

        told = rows(page)
        assert told.count("02:00") == 2
        assert "Sun 25 Oct 02:00 CET | 1 | 0 |" in told
        assert "Sun 25 Oct 02:00 CEST | not counted | |" in told

    def test_has_a_usual_week_with_a_number_in_each_cell(
        self, security: Client, day: None
    ) -> None:
        page = security.get(PAGE).content.decode()

        assert '<th scope="row">09</th><td data-heat="6">3.0</td>' in page
        # Wednesdays at nine: 1.5, and 3.67.
        assert '<td data-heat="6">2.6</td>' in page
        assert "12 Feb to 11 Mar 2026" in text(security.get(PAGE))

    def test_steps_to_the_period_before_and_after(
        self, security: Client, day: None
    ) -> None:
        page = security.get(f"{PAGE}?by=day&from=2026-03-01&to=2026-03-07")

        markup = page.content.decode()
        assert 'href="?by=day&amp;from=2026-02-22&amp;to=2026-02-28"' in markup
        assert 'href="?by=day&amp;from=2026-03-08&amp;to=2026-03-14"' in markup

    @pytest.mark.parametrize(
        ("query", "labels"),
        [
            ("from=2026-03-01", ["1 Mar", "2 Mar", "11 Mar"]),
            ("by=day&from=2026-02-27", ["27 Feb", "28", "1 Mar", "2", "11"]),
            ("by=day&from=2025-10-15", ["Nov", "Dec", "Mar"]),
            ("by=month", ["Mar 25", "Mar 26"]),
        ],
    )
    def test_labels_periods_as_short_as_can_be(
        self, security: Client, hall: Area, query: str, labels: list[str]
    ) -> None:
        page = security.get(f"{PAGE}?{query}").content.decode()

        found = re.findall(r'<text class="chart-label[^>]*>([^<]*)<', page)
        assert set(labels) <= set(found)
        assert found[0] == labels[0]
        assert found[-1] == labels[-1]

    def test_leads_to_other_lengths_of_the_same_place(
        self, security: Client, hall: Area
    ) -> None:
        query = f"place=area-{hall.pk}&kind=vehicles&from=2026-03-10&to=2026-03-10"

        page = security.get(f"{PAGE}?{query}").content.decode()

        other = f"?place=area-{hall.pk}&amp;kind=vehicles&amp;by=month"
        assert f'<a href="{other}">By month</a>' in page

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("from=2026-03-31&to=2026-03-01", NO_ORDER),
            ("from=march", NO_DATE),
            ("to=9999-01-01", NO_DATE),
            ("from=2026-01-01", asked.TOO_LONG["hour"]),
            ("by=day&from=2024-01-01", asked.TOO_LONG["day"]),
            ("by=month&from=2001-01-01", asked.TOO_LONG["month"]),
        ],
    )
    def test_refuses_a_period_with_a_sentence(
        self, security: Client, hall: Area, query: str, sentence: str
    ) -> None:
        page = security.get(f"{PAGE}?{query}")

        assert page.status_code == 400
        assert sentence in text(page)
        name, _, value = query.rpartition("&")[2].partition("=")
        assert f'name="{name}" value="{value}"' in page.content.decode()

    def test_says_that_a_period_is_to_come(self, security: Client, hall: Area) -> None:
        page = security.get(f"{PAGE}?from=2026-03-20")

        assert "This period is still to come." in text(page)

    def test_says_what_to_do_where_nothing_is_counted(self, site_admin: Client) -> None:
        assert "Choose a camera to draw a line on" in text(site_admin.get(PAGE))

    def test_shows_gaps_where_nothing_was_counted(
        self, security: Client, hall: Area
    ) -> None:
        page = security.get(f"{PAGE}?from=2026-03-10&to=2026-03-10")

        assert rows(page).count("not counted") == 24
        assert "No hour was counted in those weeks." in text(page)

    def test_takes_the_usual_for_what_it_does_not_know(
        self, security: Client, hall: Area
    ) -> None:
        other = make_area(name="Elsewhere")
        query = f"place=area-{other.pk}&kind=cats&by=year&site=none"

        page = security.get(f"{PAGE}?{query}")

        assert "Hall A: 0 in" in text(page)
        assert "Elsewhere" not in text(page)

    def test_offers_the_places_of_one_site_of_several(
        self, security: Client, sam: User, hall: Area
    ) -> None:
        other = make_site(name="Second plant", slug="second")
        sam.sites.add(other)
        make_area(site=other, name="Far hall")

        page = text(security.get(f"{PAGE}?site=second"))

        assert "Far hall: 0 in" in page
        assert "Hall A" not in page

    def test_needs_as_many_queries_for_long_periods(
        self,
        security: Client,
        site: Site,
        day: None,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(8):
            make_line(camera=make_camera(site=site))

        for query in ("from=2026-02-26", "by=day&from=2025-04-01", "by=month"):
            with django_assert_max_num_queries(QUERIES_MAX):
                assert security.get(f"{PAGE}?{query}").status_code == 200


class TestCsv:
    def test_has_a_line_for_each_period_that_was_counted(
        self, security: Client, day: None
    ) -> None:
        found = lines(security, "from=2026-03-11")

        assert tuple(found[0]) == COLUMNS
        assert [line["entries"] for line in found] == ["0"] * 9 + ["2", "1"]
        assert found[9] == {
            "site": "Main plant",
            "place": "Hall A",
            "counted": "people",
            "start": "2026-03-11T09:00:00+05:30",
            "end": "2026-03-11T10:00:00+05:30",
            "entries": "2",
            "exits": "1",
            "average inside": "3.67",
            "most inside": "5",
            "least inside": "3",
            "complete": "yes",
        }
        assert (found[10]["complete"], found[10]["most inside"]) == ("", "")

    def test_takes_a_longer_period_than_a_chart(
        self, security: Client, day: None
    ) -> None:
        long = "from=2026-01-01"

        page = security.get(f"{PAGE}?{long}")

        assert f'formaction="{PAGE}.csv"' in page.content.decode()
        assert sum(int(line["entries"]) for line in lines(security, long)) == 6

    def test_holds_no_formula(self, security: Client, site: Site) -> None:
        make_area(site=site, name="@SUM(1)")

        assert lines(security, "")[0]["place"] == "'@SUM(1)"

    def test_leads_back_to_the_page_that_says_what_is_wrong(
        self, security: Client, hall: Area
    ) -> None:
        page = security.get(f"{PAGE}.csv?from=march", follow=True)

        assert page.status_code == 400
        assert NO_DATE in text(page)

    def test_is_of_the_users_own_sites(self, security: Client, hall: Area) -> None:
        other = make_area(name="Elsewhere")

        found = lines(security, f"place=area-{other.pk}")

        assert {line["place"] for line in found} == {"Hall A"}

    def test_has_nothing_where_nothing_is_counted(
        self, security: Client, site: Site
    ) -> None:
        page = security.get(f"{PAGE}.csv", follow=True)

        assert "Nothing is counted yet" in text(page)
