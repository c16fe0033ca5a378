"""What the guides say, in English and Swedish, of the tables of scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

Row = Mapping[str, str]
Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]
LOWEST, HIGHEST = 0.93, 0.975
TOTAL = "total_core"
#: What is planted, in English and Swedish, by cell.
PLANTED = {
    "severity_06": (
        "raters differ by a standard deviation of about 10, and no file is read twice (the instrument states 5)",
        "granskarna skiljer sig åt med ungefär 10 poäng, och ingen akt är dubbelgranskad",
    ),
    "severity_12": ("the same, about 14", "detsamma, ungefär 14 poäng"),
    "halo_02": (
        "a rater's opinion of the whole site colours all its files, standard deviation about 6",
        "granskarens bild av hela kommunen färgar alla dess akter, ungefär 6 poäng",
    ),
    "halo_06": ("the same, about 10", "detsamma, ungefär 10 poäng"),
    "chosen_10": (
        "the site leaves out the worst tenth of its files",
        "kommunen väljer bort den sämsta tiondelen av akterna",
    ),
    "chosen_33": ("the site leaves out the worst third", "kommunen väljer bort den sämsta tredjedelen"),
    "tails_5": (
        "sites and files with heavy tails, t with 5 degrees of freedom",
        "några få kommuner och akter ligger långt från de andra",
    ),
    "tails_3": ("the same, 3 degrees of freedom", "detsamma, ännu längre bort"),
    "hidden_05": (
        "assessors differ a little (share .05), and it is not said whose files they are",
        "handläggarna skiljer sig lite åt, och det står inte vems akter det är",
    ),
    "hidden_30": ("the same, much (share .30)", "detsamma, men handläggarna skiljer sig mycket"),
    "silence_05": (
        "users with a poorer experience answer less: odds 1.6 times for a standard deviation",
        "brukare med sämre erfarenheter svarar mer sällan (måttligt)",
    ),
    "silence_10": ("the same, odds 2.7 times", "detsamma, men starkt"),
    "period_5_of_10": ("5 of 10 files", "5 av 10 akter"),
    "period_20_of_200": ("20 of 200", "20 av 200"),
    "period_20_of_40": ("20 of 40", "20 av 40"),
    "period_25_of_30": ("25 of 30", "25 av 30"),
    "period_census": ("all 30, none blank", "alla 30, inget tomt"),
    "period_level_90": ("20 of 40, level about 90", "20 av 40, nivå omkring 90"),
    "period_missing_20": ("20 of 40, 20 % blank", "20 av 40, 20 % tomt"),
    "period_as_way": (
        "30 of 60–180, taken for an interval of the way of working",
        "30 av 60–180, läst som ett intervall för arbetssättet",
    ),
}
HEADS = (
    ("What is planted", "Score", "Bias", "Covered", "Mean width", "Flagged"),
    (
        "Vad som händer",
        "Poäng",
        "Så fel blir poängen i medeltal",
        "Intervallet rymmer det sanna",
        "Intervallets bredd",
        "Siffran bär en varning",
    ),
)
NAMES = (
    {"total_core": "core total", "de": "participation (users)"},
    {"total_core": "kärnan", "de": "delaktighet (brukare)"},
)


def planted_block(rows: Sequence[Row], kind: str, table: Table, *, swedish: bool = False) -> str:
    """Return how far score and interval of one kind of cells go wrong: the core total, or participation of users."""
    chosen = [row for row in rows if row["kind"] == kind and row["id"] in NAMES[0]]
    if not chosen:
        return "Inte gjort än.\n" if swedish else "Not made yet.\n"
    lines = [
        (
            PLANTED[row["cell"]][swedish],
            NAMES[swedish][row["id"]],
            _number(float(row["bias"]), "+.1f", swedish),
            _covered(row, swedish),
            _number(float(row["mean_width"]), ".1f", swedish),
            f"{100 * float(row['flagged']):.0f} %",
        )
        for row in chosen
    ]
    return table(HEADS[swedish], lines)


def _number(value: float, form: str, swedish: bool) -> str:
    text = format(round(value, 1) + 0.0, form)
    return text.replace(".", ",").replace("-", "\N{MINUS SIGN}") if swedish else text


def _covered(row: Row, swedish: bool) -> str:
    if swedish:
        return f"{100 * float(row['coverage']):.0f} av 100 gånger"
    return f"{float(row['coverage']):.3f} ± {float(row['std_error']):.3f}"


def grid_block(rows: Sequence[Row], table: Table) -> str:
    """Return the coverage over the grid, a line a number of units and share at the ceiling."""
    lines = []
    for n, ceiling in dict.fromkeys((row["n"], row["ceiling"]) for row in rows):
        mine = [row for row in rows if (row["n"], row["ceiling"]) == (n, ceiling)]
        covered = [float(row["coverage"]) for row in mine]
        widths = [float(row["width"]) for row in mine]
        short = sum(row["within"] == "no" for row in mine)
        flagged = max(float(row["flagged"]) for row in mine)
        lines.append(
            (
                n,
                f"{100 * float(ceiling):.0f} %",
                str(len(mine)),
                f"{min(covered):.3f}–{max(covered):.3f}",
                f"{min(widths):.1f}–{max(widths):.1f}",
                str(short),
                f"{100 * flagged:.0f} %",
            )
        )
    head = ("Units a site", "At the ceiling", "Cells", "Coverage", "Mean width", "Cells outside", "Flagged, at most")
    return table(head, lines)


def shrinkage_block(rows: Sequence[Row], table: Table) -> str:
    """Return what shrunken scores hold, by number of sites and kind of sites, over cells in which any are shown."""
    lines = []
    for sites, tails in dict.fromkeys((row["sites"], row["tails"]) for row in rows):
        mine = [row for row in rows if (row["sites"], row["tails"]) == (sites, tails)]
        shown = [row for row in mine if float(row["kept"]) >= 0.1]
        ranked = [row for row in mine if float(row["passed"]) >= 0.5]
        lines.append(
            (
                sites,
                "normal" if tails == "normal" else "heavy tails (t, 3 df)",
                str(len(mine)),
                _span(mine, "mse_ratio", 2),
                _span(shown, "kept_coverage", 3),
                _span(ranked, "passed_bands_slope", 2),
                _span([row for row in ranked if int(sites) >= 10], "passed_top_slope", 2),
                _span([row for row in ranked if int(sites) >= 10 and float(row["firm"]) >= 0.5], "firm_top_slope", 2),
            )
        )
    head = (
        "Sites",
        "True levels",
        "Cells",
        "Squared error, of the raw one's",
        "Coverage where shown",
        "Slope of bands, reliability ≥ .5",
        "Slope of the top quarter, ≥ .5",
        "the same, ≥ .7",
    )
    return table(head, lines)


def comparison_block(rows: Sequence[Row], table: Table) -> str:
    """Return what differences of sites hold, a line a cell in which raters are seen."""
    lines = [
        (
            row["world"],
            row["sites"],
            row["files"],
            row["raters"],
            f"{float(row['coverage']):.3f}",
            row["width"],
            f"{100 * float(row['fdr_bh']):.1f} %",
            "–" if row["power"] == "nan" else f"{100 * float(row['power']):.0f} %",
            f"{100 * float(row['flagged']):.0f} %",
        )
        for row in rows
        if row["seen"] == "yes"
    ]
    head = ("Planted", "Sites", "Files", "Raters", "Coverage", "Mean width", "False discoveries", "Found", "Flagged")
    return table(head, lines)


def _span(rows: Sequence[Row], name: str, digits: int) -> str:
    values = [float(row[name]) for row in rows if row[name] != "nan"]
    return f"{min(values):.{digits}f}–{max(values):.{digits}f}" if values else "–"
