def titled(action, title):
    """Return a stored action with another title. The web client prefers the stored ``display_name`` to the name.

    :param dict action: as ``_for_xml_id`` returns it
    """
    return {**action, "name": title, "display_name": title}
