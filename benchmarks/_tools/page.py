"""A report as one HTML page that needs no other file."""

import base64
import io
from html import escape
from pathlib import Path
from typing import Any

from _tools.tables import write_text

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: break-word; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 0.85rem; }}
th, td {{ border-bottom: 1px solid #8888; padding: 0.3rem 0.6rem; text-align: left; }}
img {{ max-width: 100%; background: white; }}
</style>
</head>
<body>
<h1>{title}</h1>
{about}
<h2>Table</h2>
<div class="wide"><table>
{table}
</table></div>
<h2>Figure</h2>
<p><img alt="{title}" src="data:image/png;base64,{picture}"></p>
<h2>Conclusion</h2>
<ul>
{conclusion}
</ul>
</body>
</html>
"""


def write_page(
    file: str, title: str, about: str, table: str, claims: str, figure: Any
) -> None:
    """Write a page of what a script prints, all of it or nothing; close the figure.

    The text about it has empty lines between paragraphs, the table is in Markdown, and
    each claim is a line after "- ".
    """
    import matplotlib.pyplot as plt

    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150, bbox_inches="tight")
    plt.close(figure)
    paragraphs = escape(about.strip()).split("\n\n")
    heading, _, *rows = table.splitlines()  # the second line is a rule
    page = _PAGE.format(
        title=escape(title),
        about="\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
        table="\n".join([_row(heading, "th"), *(_row(row, "td") for row in rows)]),
        picture=base64.b64encode(picture.getvalue()).decode(),
        conclusion="\n".join(
            f"<li>{escape(line.removeprefix('- '))}</li>"
            for line in claims.splitlines()
        ),
    )
    write_text(Path(file), page)


def _row(line: str, tag: str) -> str:
    cells = (escape(cell.strip()) for cell in line.strip("| ").split("|"))
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"
