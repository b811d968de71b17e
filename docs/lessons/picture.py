"""Take a picture out of a report, as an SVG file of its own.

    python3 docs/lessons/picture.py artifacts/NAME/report.html 'Valid loss over the epochs' valid_loss.svg

The title is the one that the picture has in the report. It has no colours for dark backgrounds outside of the page, so
it is given the page's light background.
"""

import re
import sys


def pictures_of(page):
    """The outermost pictures: a chart holds another picture, which clips its lines."""
    depth, start = 0, 0
    for tag in re.finditer(r"<svg[ >]|</svg>", page):
        if tag[0] == "</svg>":
            depth -= 1
            if depth == 0:
                yield page[start : tag.end()]
        else:
            if depth == 0:
                start = tag.start()
            depth += 1


def main(report, title, out):
    with open(report, encoding="utf-8") as file:
        pictures = list(pictures_of(file.read()))
    titled = {re.search(r"<title>(.*?)</title>", p)[1]: p for p in pictures if "<title>" in p}
    if title not in titled:
        sys.exit(f"{report} has no picture {title!r}; it has {', '.join(t for t in titled if t)}")
    background = '<rect width="100%" height="100%" fill="#fff"/>'
    picture = titled[title].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    picture = picture.replace("</desc>", f"</desc>\n{background}", 1)
    with open(out, "w", encoding="utf-8") as file:
        file.write(picture + "\n")


main(*sys.argv[1:])
