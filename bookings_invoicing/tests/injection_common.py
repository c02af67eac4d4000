from lxml import html

MARK = "pwn3d"
# Where a page may hold what runs or leads away.
LEADS_AWAY = ("href", "src", "srcdoc", "action", "data", "formaction", "content", "style")


def dangerous(page):
    """Descriptions of what in a page came from a payload as more than text.

    :param str page: HTML
    """
    found = []
    for node in html.fromstring(page).iter():
        if not isinstance(node.tag, str):
            found += [f"comment {node.text}"] if MARK in (node.text or "") else []
            continue
        if node.tag in ("script", "style") and MARK in (node.text or ""):
            found.append(f"<{node.tag}> {node.text[:80]}")
        for name, value in node.attrib.items():
            named = name.startswith("on") or name in LEADS_AWAY
            if named and (MARK in value or "evil.example" in value.partition("?")[0]):
                found.append(f"<{node.tag} {name}={value[:80]}>")
        if node.tag == "b" and (node.text or "") == MARK:
            found.append("<b>")
    return found


def shown(page):
    """The words of a page as a person reads them, blanks as one."""
    return " ".join(html.fromstring(page).text_content().split())
