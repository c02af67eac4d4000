"""The check that a method of a model is defined once inside an addon, and a field declared once."""

import textwrap

from devtools.lint_definitions import check_definitions

FILES = {
    "models/first.py": """
        class Booking(models.Model):
            _name = "bookings.booking"
            _inherit = ["mail.thread", "bookings.mirror"]

            price = fields.Float()
            limit = 3

            def write(self, vals):
                return super().write(vals)

            def _price(self):
                return self.price
    """,
    "models/deeper/second.py": """
        class BookingsBooking(models.Model):
            _inherit = "bookings.booking"

            price = fields.Float(related=None)
            limit = 4

            def _attend(self):
                return self._price()


        class Listed(models.Model):
            _inherit = ["bookings.booking"]

            def write(self, vals):
                return super().write(vals)


        class Mirror(models.AbstractModel):
            _name = "bookings.mirror"

            def _price(self):
                return 0


        class Plain:
            def write(self, vals):
                return vals
    """,
    "tests/test_first.py": """
        class Fake(models.Model):
            _inherit = "bookings.booking"

            def _price(self):
                return 1
    """,
}


def addon(folder, files):
    """A folder that holds these files."""
    root = folder / "some_addon"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    return root


def test_names_defined_twice_are_found(tmp_path):
    """In any class of the model, whatever file; no other model's, no test's, no constant's."""
    found = list(check_definitions(addon(tmp_path, FILES)))
    assert found == [
        "some_addon/models/first.py:6: price of bookings.booking is defined at some_addon/models/deeper/second.py:5 too",
        "some_addon/models/first.py:9: write of bookings.booking is defined at some_addon/models/deeper/second.py:15 too",
    ]


def test_one_definition_each_passes(tmp_path):
    """Nothing is found where nothing is doubled."""
    assert not list(
        check_definitions(addon(tmp_path, {"models/first.py": FILES["models/first.py"]}))
    )


def test_a_model_of_too_many_classes_is_found(tmp_path):
    """Counted over all files of the addon."""
    part = FILES["models/first.py"]
    files = {f"models/part{number}.py": part for number in range(10)}
    found = list(check_definitions(addon(tmp_path, files)))
    assert found[0] == "some_addon: bookings.booking is made by 10 classes, the limit is 9"
    del files["models/part0.py"]
    nine = check_definitions(addon(tmp_path / "fewer", files))
    assert not [finding for finding in nine if "classes" in finding]
