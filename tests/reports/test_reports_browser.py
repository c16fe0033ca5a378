"""Pages in a browser: what axe-core finds wrong, whether they fit a phone, and whether they print."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from ibic_fidelity.dossier.precision import site_precision
from ibic_fidelity.dossier.reliability import component_reliability
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.reports.comparison import comparison_report
from ibic_fidelity.reports.pages import overview_report, site_report
from ibic_fidelity.reports.precision import precision_report
from ibic_fidelity.reports.statistics import statistics_report
from ibic_fidelity.scoring.comparison.overall import compare_all
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.studies.pilot import simulate_pilot

pytestmark = pytest.mark.browser
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
#: Runs in the page and leaves what it found in the document, where --dump-dom shows it.
RUN_AXE = """
<script>
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).then(function (found) {
  var out = document.createElement("pre");
  out.id = "axe";
  out.textContent = JSON.stringify(found.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]));
  document.body.appendChild(out);
});
</script>
"""


def with_script(page, script):
    """The page forbids every script by its policy; only this copy allows ours."""
    allowed, policies = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert policies == 1
    return allowed.replace("</body>", f"{script}</body>")


@pytest.fixture(scope="module")
def pages():
    instrument = load_instrument("ibic")
    responses = simulate_pilot(instrument).responses
    scores = score_municipalities(responses, instrument)
    withheld = next(site for site in scores.sites if scores.of_site(site).core["estimate"].isna().any())
    made = {"overview": overview_report(scores, instrument, lang="sv")}
    made["site"] = site_report(scores, instrument, "0580", lang="sv")
    made["site_en"] = site_report(scores, instrument, "0580", lang="en")
    made["withheld"] = site_report(scores, instrument, withheld, lang="sv")
    made["statistics"] = statistics_report(component_reliability(responses, instrument), instrument, lang="sv")
    made["comparison"] = comparison_report(compare_all(responses, instrument), instrument, lang="sv")
    made["precision"] = precision_report(site_precision(responses, instrument), instrument, lang="sv")
    return made


@pytest.fixture(scope="module")
def raters(statistics_of, rater_rows, answered):
    return statistics_report(statistics_of(*rater_rows), answered[1], lang="en")


@pytest.fixture(scope="session")
def browser(require, tmp_path_factory):
    program = require("chromium", "chromium-browser", "google-chrome")
    profile = tmp_path_factory.mktemp("profile")

    def run(*arguments):
        call = [program, *FLAGS, f"--user-data-dir={profile}", *map(str, arguments)]
        return subprocess.run(call, capture_output=True, text=True, timeout=120, check=True).stdout

    return run


@pytest.fixture(scope="session")
def axe():
    path = os.environ.get("IBIC_AXE", "")
    if Path(path).is_file():
        return Path(path).read_text(encoding="utf-8")
    reason = "needs axe-core: npm install axe-core, and its axe.min.js in IBIC_AXE"
    if os.environ.get("IBIC_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize("name", ["overview", "site", "site_en", "withheld", "statistics", "precision", "raters"])
def test_axe_finds_no_violation(pages, raters, browser, axe, tmp_path, name):
    path = tmp_path / "page.html"
    path.write_text(
        with_script({**pages, "raters": raters}[name], f"<script>{axe}</script>{RUN_AXE}"), encoding="utf-8"
    )
    dom = browser("--virtual-time-budget=30000", "--dump-dom", path.as_uri())
    found = re.search(r'<pre id="axe">(.*?)</pre>', dom, re.DOTALL)
    assert found is not None, "axe did not finish"
    assert json.loads(html.unescape(found.group(1))) == []


@pytest.mark.parametrize("name", ["overview", "site", "statistics"])
def test_a_page_fits_a_phone(pages, browser, tmp_path, name):
    path = tmp_path / "page.html"
    path.write_text(pages[name], encoding="utf-8")
    frame = tmp_path / "phone.html"  # headless Chromium has no window narrower than 500: a frame is
    frame.write_text(
        f'<iframe id="p" src="{path.as_uri()}" width="390" height="800"></iframe><pre id="w"></pre><script>'
        "document.getElementById('p').onload = function (e) { var d = e.target.contentDocument;"
        "document.getElementById('w').textContent = d.documentElement.scrollWidth; }</script>",
        encoding="utf-8",
    )
    dom = browser("--allow-file-access-from-files", "--virtual-time-budget=10000", "--dump-dom", frame.as_uri())
    wide = re.search(r'<pre id="w">(\d+)</pre>', dom)
    assert wide is not None
    assert int(wide.group(1)) <= 390


@pytest.mark.parametrize("name", ["site", "statistics"])
def test_a_page_prints(pages, browser, tmp_path, name):
    path, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    path.write_text(pages[name], encoding="utf-8")
    browser(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", path.as_uri())
    assert pdf.read_bytes()[:5] == b"%PDF-"
    assert pdf.stat().st_size > 20_000
