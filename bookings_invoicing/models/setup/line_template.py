from odoo.exceptions import ValidationError

from ...billing import text

MAX_LENGTH = 500  # characters


def check_line_template(env, template):
    """Check the template for the text of invoice lines.

    :raises ValidationError: if it is too long or contains unknown placeholders
    """
    if len(template) > MAX_LENGTH:
        raise ValidationError(
            env._("The text of an invoice line can have at most %s characters.", MAX_LENGTH)
        )
    try:
        text.check_template(template)
    except text.TemplateError as error:
        raise ValidationError(str(error)) from error
