"""The pages of attention over a picture and over a sound, in a headless Chromium.

Usage: test_attention_page_picture.py HEED_PROGRAM
"""

import json
import random
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from program import heed
import browser

browser.skip_if_missing()
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

import test_image as images  # noqa: E402
import test_speech as sounds  # noqa: E402

COVER = (240, 90, 0)  # of page.css
STRONGEST = 0.8  # how much of the colour is that of the largest weight
PATCH = 4
ACROSS = images.SIZE // PATCH
BAR = images.bar(9)


def train(folder):
    for i in range(40):
        kind = folder / "photos" / ["level", "upright"][i % 2]
        kind.mkdir(parents=True, exist_ok=True)
        (kind / f"{i}.png").write_bytes(images.png(images.SIZE, images.SIZE, images.bar(i)))
    heed("train", "image", "--train", "photos", "--out", "seer", "--d-model", 16, "--num-heads", 2, "--num-layers", 2,
         "--patch-size", PATCH, "--max-shift", 1, "--epochs", 2, "--threads", 1, cwd=folder, code=0)
    source = random.Random(1)
    for name, start, end in (("up", 300, 1200), ("down", 1200, 300)):
        for take in range(12):
            sounds.write(folder / "sounds" / name / f"{take}.wav", sounds.samples(source, start, end))
    heed("train", "speech", "--train", "sounds", "--out", "hearer", *sounds.SMALL, "--epochs", 2, cwd=folder, code=0)


class OverPictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-page-picture-"))
        train(cls.folder)
        cls.picture = cls.shown("seer", "photos/upright/9.png", "picture.html")
        cls.sound = cls.shown("hearer", "sounds/up/3.wav", "sound.html")
        cls.driver = browser.start()

    @classmethod
    def shown(cls, model, what, page):
        return json.loads(heed("attend", model, what, "--json", "--out", page, cwd=cls.folder, code=0).stdout)

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.open("picture.html")

    def open(self, name):
        self.view = self.picture if name == "picture.html" else self.sound
        self.weights = {(a["layer"] - 1, a["head"] - 1): a["weights"] for a in self.view["attention"]}
        self.last = max(layer for layer, _ in self.weights)
        self.driver.get((self.folder / name).as_uri())
        self.driver.execute_async_script(
            "const done = arguments[0]; document.getElementById('seen').decode().then(() => done());")
        ActionChains(self.driver).move_to_element(self.control("answer")).perform()
        self.settle()

    def settle(self):
        """Waits until what was asked for is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));")

    def control(self, name):
        return self.driver.find_element(By.ID, name)

    def choose(self, control, value):
        self.driver.execute_script(
            "const c = document.getElementById(arguments[0]); c.value = arguments[1];"
            "c.dispatchEvent(new Event('change', {bubbles: true}));", control, value)
        self.settle()

    def click(self, element):
        element.click()
        self.settle()

    def cell(self, index):
        return self.driver.find_elements(By.CSS_SELECTOR, "#cells [role=option]")[index]

    def buttons(self):
        """What has no place in the picture: name -> its button."""
        return {button.text: button for button in self.control("placeless").find_elements(By.TAG_NAME, "button")}

    def drawn(self):
        """The weight of each cell, after a look at how strongly it is drawn."""
        found = self.driver.execute_script(
            "return [...document.querySelectorAll('#cells [role=option]')].map((cell) => "
            "[Number(cell.dataset.weight), getComputedStyle(cell).backgroundColor])")
        largest = max(weight for weight, _ in found)
        for weight, color in found:
            parts = [float(part) for part in re.findall(r"[\d.]+", color)]
            self.assertEqual(tuple(parts[:3]), COVER if parts[3] > 0 else tuple(parts[:3]))
            self.assertAlmostEqual(parts[3], STRONGEST * weight / largest, delta=0.005)
        return [weight for weight, _ in found]

    def mean(self, layer, heads=(0, 1)):
        """Over these heads: (queries, keys)."""
        matrices = [self.weights[layer, head] for head in heads]
        return [[sum(column) / len(heads) for column in zip(*rows)] for rows in zip(*matrices)]

    def assert_drawn(self, weights, delta=2e-5):
        found = self.drawn()
        self.assertEqual(len(found), len(weights))
        for cell, (weight, expected) in enumerate(zip(found, weights)):
            self.assertAlmostEqual(weight, expected, delta=delta, msg=str(cell))

    def test_the_picture_is_the_one_that_the_model_saw(self):
        pixels = self.driver.execute_script(
            "const canvas = document.createElement('canvas'), seen = document.getElementById('seen');"
            "canvas.width = seen.naturalWidth; canvas.height = seen.naturalHeight;"
            "const context = canvas.getContext('2d'); context.drawImage(seen, 0, 0);"
            "return [...context.getImageData(0, 0, canvas.width, canvas.height).data]")
        self.assertEqual(pixels[0::4], list(BAR))
        self.assertEqual(pixels[2::4], list(BAR))
        self.assertEqual(len(self.driver.find_elements(By.CSS_SELECTOR, "#cells [role=option]")), ACROSS ** 2)

    def test_what_the_answer_is_made_from_is_shown_first(self):
        row = self.mean(self.last)[0]
        self.assert_drawn(row[1:])
        self.assertEqual(self.buttons()["[CLS]"].get_attribute("aria-pressed"), "true")
        self.assertEqual(self.buttons()["all tokens together"].get_attribute("aria-pressed"), "false")
        best = max(range(1, len(row)), key=row.__getitem__)
        place = f"row {(best - 1) // ACROSS + 1}, column {(best - 1) % ACROSS + 1}"
        caption = self.control("picture-caption").text
        self.assertIn(f"What [CLS] looks at. The strongest is {place} with ", caption)
        self.assertIn("goes to [CLS], which has no place in the picture", caption)
        self.assertRegex(self.cell(best - 1).get_attribute("aria-label"), f"^{place}: [0-9.]+ %$")
        self.assertIn("patches of 4 × 4 pixels, 3 rows of 3", self.control("picture-about").text)

    def test_a_patch_is_chosen_by_a_click_and_let_go_by_escape(self):
        self.click(self.cell(5))
        self.assert_drawn(self.mean(self.last)[6][1:])
        self.assertEqual(self.cell(5).get_attribute("aria-selected"), "true")
        self.assertIn("“row 2, column 3”", self.control("token-facts").text)
        self.choose("direction", "key")
        self.assert_drawn([row[6] for row in self.mean(self.last)][1:])
        self.assertIn("is looked at by", self.control("token-facts").text)
        self.cell(5).send_keys(Keys.ESCAPE)
        self.control("answer").click()  # takes the keyboard out of the picture
        self.settle()
        together = [sum(column) / len(column) for column in zip(*self.mean(self.last))]
        self.assert_drawn(together[1:])
        self.assertEqual(self.buttons()["all tokens together"].get_attribute("aria-pressed"), "true")

    def test_pointing_shows_a_patch_for_as_long(self):
        ActionChains(self.driver).move_to_element(self.cell(3)).perform()
        self.settle()
        self.assert_drawn(self.mean(self.last)[4][1:])
        ActionChains(self.driver).move_to_element(self.control("answer")).perform()
        self.settle()
        self.assert_drawn(self.mean(self.last)[0][1:])

    def test_keys_move_in_the_picture(self):
        self.click(self.buttons()["all tokens together"])
        steps = [(Keys.ARROW_RIGHT, 1), (Keys.ARROW_DOWN, 1 + ACROSS), (Keys.ARROW_LEFT, ACROSS), (Keys.ARROW_UP, 0),
                 (Keys.ARROW_UP, 0), (Keys.END, ACROSS ** 2 - 1), (Keys.ARROW_RIGHT, ACROSS ** 2 - 1)]
        item = self.cell(0)
        for key, expected in steps:
            item.send_keys(key)
            item = self.driver.switch_to.active_element
            self.assertEqual(item.get_attribute("data-index"), str(1 + expected), key)
        self.settle()
        self.assert_drawn(self.mean(self.last)[ACROSS ** 2][1:])
        item.send_keys(Keys.ENTER)
        self.assertEqual(item.get_attribute("aria-selected"), "true")
        reached = self.driver.execute_script(
            "return document.querySelectorAll('#cells [tabindex=\"0\"]').length")
        self.assertEqual(reached, 1)

    def test_layers_and_heads(self):
        self.choose("layer", 0)
        self.assert_drawn(self.mean(0)[0][1:])
        self.click(self.driver.find_element(By.CSS_SELECTOR, "#heads input[value='0']"))
        self.assert_drawn(self.mean(0, [1])[0][1:])

    def test_rollout(self):
        self.choose("show", "rollout")
        found = self.drawn()
        rollout = sum(self.view["rollout"], [])
        for weight, expected in zip(found, rollout):
            self.assertAlmostEqual(weight / sum(found), expected, delta=1e-4)

    def test_effect_of_the_answer(self):
        self.choose("show", "gradient")
        self.click(self.buttons()["all tokens together"])
        self.assertGreater(max(self.drawn()), 0)

    def test_all_heads_at_a_glance_are_the_picture_under_their_weights(self):
        buttons = self.driver.find_elements(By.CSS_SELECTOR, "#overview button")
        self.assertEqual(len(buttons), 4)
        for place, button in enumerate(buttons):
            layer, head = divmod(place, 2)
            row = self.weights[layer, head][0][1:]
            for cell, weight in enumerate(row):
                # The middle of a pixel of the picture, near that of the patch.
                x, y = PATCH * (cell % ACROSS) + 1, PATCH * (cell // ACROSS) + 1
                color = self.driver.execute_script(
                    "const canvas = arguments[0].firstElementChild, side = canvas.width / arguments[3];"
                    "return [...canvas.getContext('2d').getImageData(Math.floor((arguments[1] + 0.5) * side),"
                    "  Math.floor((arguments[2] + 0.5) * side), 1, 1).data]", button, x, y, images.SIZE)
                over = STRONGEST * weight / max(row)
                for part, ink in zip(color, COVER):
                    expected = (1 - over) * BAR[y * images.SIZE + x] + over * ink
                    self.assertAlmostEqual(part, expected, delta=4, msg=f"{layer} {head} {cell}")
        self.click(buttons[1])
        self.assert_drawn(self.mean(0, [1])[0][1:])

    def test_weights_can_be_switched_off(self):
        def colors():
            return {cell.value_of_css_property("background-color")
                    for cell in self.driver.find_elements(By.CSS_SELECTOR, "#cells [role=option]")}
        self.assertGreater(len(colors()), 1)
        self.click(self.control("covered"))
        self.assertEqual(colors(), {"rgba(0, 0, 0, 0)"})
        self.assertEqual(self.control("seen").value_of_css_property("filter"), "none")

    def test_sounds(self):
        self.open("sound.html")
        together = [sum(column) / len(column) for column in zip(*self.mean(self.last))]
        self.assert_drawn(together)
        self.assertIn("What each moment gets from all tokens", self.control("picture-caption").text)
        self.assertEqual(self.driver.execute_script(
            "return document.getElementById('seen').naturalHeight"), 20)  # --num-mel-bins
        self.click(self.cell(2))
        self.assert_drawn(self.mean(self.last)[2])
        self.assertIn("What 0.08 s looks at.", self.control("picture-caption").text)
        self.cell(2).send_keys(Keys.ARROW_RIGHT, Keys.ENTER)
        self.assertEqual(self.cell(3).get_attribute("aria-selected"), "true")
        self.assertIn("in steps of 0.04 s", self.control("picture-about").text)

    def test_needs_no_network_and_complains_of_nothing(self):
        self.driver.get_log("browser")  # what reading the canvases of another test left there
        for page in ("picture.html", "sound.html"):
            self.open(page)
            self.assertNotRegex((self.folder / page).read_text(), r"(src|href)=|@import|url\(|https?://(?!www\.w3\.org)")
            self.assertEqual(self.driver.get_log("browser"), [])

    def test_accessible_in_light_and_dark_and_on_a_phone(self):
        if browser.axe_script() is None:
            self.skipTest("no package brings axe-core")
        for page in ("picture.html", "sound.html"):
            for scheme, width in (("light", 1280), ("dark", 380)):
                with self.subTest(page=page, scheme=scheme):
                    self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
                    self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 400})
                    self.open(page)
                    self.click(self.cell(1))
                    self.assertEqual(browser.accessibility_faults(self.driver), [])
                    self.assertLessEqual(self.driver.execute_script(
                        "return document.documentElement.scrollWidth - innerWidth"), 0)
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


if __name__ == "__main__":
    unittest.main()
