"""Trees built, parsed, searched and transformed; proxies that come and go."""

from lxml import etree

SHEET = etree.XSLT(
    etree.XML(
        '<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform">'
        '<x:template match="/"><out><x:copy-of select="//b[@n &gt; 5]"/></out></x:template>'
        "</x:stylesheet>"
    )
)
found = size = 0
for i in range(600):
    root = etree.Element("a", {"i": str(i)})
    for n in range(20):
        etree.SubElement(root, "b", n=str(n)).text = f"text {n}"
    again = etree.fromstring(etree.tostring(root))
    found += len(again.xpath("//b[@n mod 3 = 0]"))
    size += len(bytes(SHEET(again)))
    for _, element in etree.iterwalk(again, events=("end",)):
        element.clear()
    try:
        etree.fromstring("<a><b></a>")
    except etree.XMLSyntaxError as error:
        kept = error
print(found, size, type(kept).__name__)
