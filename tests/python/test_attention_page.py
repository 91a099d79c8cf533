"""The page of `heed attend --out page.html` in a headless Chromium.

Usage: test_attention_page.py HEED_PROGRAM
"""

import importlib.util
import json
import math
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from program import heed
import browser
import page_gradients

browser.skip_if_missing()
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

TEXT = "rain <script>alert(1)</script> and wind"


def train(folder):
    rng = random.Random(3)
    words = {"weather": "rain sun snow wind".split(), "food": "bread soup cheese rice".split()}
    lines = [f"{label}\t{' '.join(rng.choices(words[label], k=5))}" for label in sorted(words) * 40]
    (folder / "data.tsv").write_text("\n".join(lines) + "\n")
    heed("train", "classify", "--train", "data.tsv", "--out", "model", "--d-model", 32, "--num-heads", 4,
         "--num-layers", 2, "--epochs", 3, "--threads", 1, cwd=folder, code=0)
    pairs = [(" ".join(rng.choices("one two three".split(), k=4)),) for _ in range(80)]
    translation = {"one": "eins", "two": "zwei", "three": "drei"}
    (folder / "pairs.tsv").write_text("".join(
        f"{text}\t{' '.join(translation[w] for w in text.split())}\n" for text, in pairs))
    heed("train", "seq2seq", "--train", "pairs.tsv", "--out", "translator", "--d-model", 32,
         "--num-heads", 2, "--num-layers", 1, "--epochs", 4, "--threads", 1, cwd=folder, code=0)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="heed-page-"))
        train(cls.folder)
        cls.driver = browser.start()
        shown = heed("attend", "model", TEXT, "--json", "--out", "page.html", cwd=cls.folder, code=0)
        cls.view = json.loads(shown.stdout)
        cls.weights = {(a["layer"] - 1, a["head"] - 1): a["weights"] for a in cls.view["attention"]}

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.open("page.html")

    def open(self, name):
        self.driver.get((self.folder / name).as_uri())
        self.settle()

    def settle(self):
        """Waits until what was asked for is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => done()));")

    def choose(self, control, value):
        self.driver.execute_script(
            "const c = document.getElementById(arguments[0]); c.value = arguments[1];"
            "c.dispatchEvent(new Event('input', {bubbles: true}));"
            "c.dispatchEvent(new Event('change', {bubbles: true}));", control, value)
        self.settle()

    def lines(self):
        """(query, key, head) -> the weight that is drawn."""
        found = self.driver.execute_script(
            "return [...document.querySelectorAll('#lines line')].map((line) => "
            "[...['query', 'key', 'head', 'weight'].map((name) => Number(line.dataset[name])),"
            " Number(line.getAttribute('stroke-width')), line.getBBox().width > 0])")
        for _, _, _, weight, width, visible in found:
            self.assertAlmostEqual(width, 0.5 + 5 * weight, delta=0.006)
            self.assertTrue(visible)
        return {(q, k, h): weight for q, k, h, weight, _, _ in found}

    def item(self, side, index):
        return self.driver.find_elements(By.CSS_SELECTOR, f"#{side} li")[index]

    def assert_close(self, drawn, weights, delta=2e-5):
        self.assertEqual(set(drawn), {at for at, weight in weights.items() if weight > 8e-6})
        for at, weight in drawn.items():
            self.assertAlmostEqual(weight, weights[at], delta=delta, msg=str(at))

    def expected(self, layer):
        return {(q, k, head): weight for (l, head), rows in self.weights.items() if l == layer
                for q, row in enumerate(rows) for k, weight in enumerate(row)}

    def test_lines_are_the_weights_of_the_model(self):
        self.choose("threshold", 0)
        for layer in (0, 1):
            self.choose("layer", layer)
            self.assert_close(self.lines(), self.expected(layer))

    def test_mean_of_the_heads(self):
        self.choose("threshold", 0)
        self.choose("show", "mean")
        mean = {}
        for (q, k, _), weight in self.expected(1).items():
            mean[q, k, -1] = mean.get((q, k, -1), 0) + weight / 4
        self.assert_close(self.lines(), mean)
        self.assertFalse(self.driver.find_element(By.CSS_SELECTOR, "#heads input").is_enabled())

    def test_rollout(self):
        count = len(self.view["tokens"])
        through = [[float(i == j) for j in range(count)] for i in range(count)]
        for layer in (0, 1):
            step = [[(float(i == j) + sum(self.weights[layer, h][i][j] for h in range(4)) / 4) / 2
                     for j in range(count)] for i in range(count)]
            through = [[sum(step[i][k] * through[k][j] for k in range(count))
                        for j in range(count)] for i in range(count)]
        self.choose("threshold", 0)
        self.choose("show", "rollout")
        self.assert_close(self.lines(), {(i, j, -1): through[i][j] for i in range(count)
                                         for j in range(count)})

    def test_gradient(self):
        self.choose("threshold", 0)
        self.choose("show", "gradient")
        strongest = []
        for layer in (0, 1):
            self.choose("layer", layer)
            strongest.append(max(self.lines().values(), default=0))
        self.assertAlmostEqual(max(strongest), 1)

    def test_gradient_is_that_of_the_answer(self):
        """Weight × ∂score/∂weight where it is positive, by PyTorch from the stored parameters."""
        if not importlib.util.find_spec("torch") or not importlib.util.find_spec("tokenizers"):
            self.skipTest("torch or tokenizers is not installed")
        label = json.loads((self.folder / "model/config.json").read_text())["label2id"][self.view["label"]]
        weights, effects = page_gradients.weights_and_effects(self.folder / "model", TEXT, label)
        self.choose("threshold", 0)
        for layer in (0, 1):
            self.choose("layer", layer)
            for head in range(4):
                for found, expected in zip(self.weights[layer, head], weights[layer][head]):
                    for a, b in zip(found, expected):
                        self.assertAlmostEqual(a, b, delta=1e-5)
        largest = max(value for layer in effects for head in layer for row in head for value in row)
        self.choose("show", "gradient")
        for layer in (0, 1):
            self.choose("layer", layer)
            drawn = self.lines()
            for head, rows in enumerate(effects[layer]):
                for q, row in enumerate(rows):
                    for k, value in enumerate(row):
                        expected = max(0, value) / largest  # the page holds a byte of each
                        self.assertAlmostEqual(drawn.get((q, k, head), 0), expected, delta=0.51 / 255)

    def test_the_spread_of_a_head_is_that_of_its_entropies(self):
        buttons = self.driver.find_elements(By.CSS_SELECTOR, "#overview button")
        for place, button in enumerate(buttons):
            rows = self.weights[divmod(place, 4)]
            spread = sum(math.exp(-sum(w * math.log(w) for w in row if w > 0)) for row in rows) / len(rows)
            self.assertAlmostEqual(float(button.text), spread, delta=0.051)

    def test_the_overview_draws_the_weights(self):
        for place, button in enumerate(self.driver.find_elements(By.CSS_SELECTOR, "#overview button")):
            rows = self.weights[divmod(place, 4)]
            alphas = self.driver.execute_script(
                "const canvas = arguments[0].firstElementChild, context = canvas.getContext('2d');"
                "return [...context.getImageData(0, 0, canvas.width, canvas.height).data]"
                ".filter((_, i) => i % 4 === 3)", button)
            flat = [weight for row in rows for weight in row]
            self.assertEqual(len(alphas), len(flat))
            for alpha, weight in zip(alphas, flat):
                self.assertAlmostEqual(alpha / 255, weight / max(flat), delta=0.01)

    def test_pointing_at_a_token_shows_its_lines_for_as_long(self):
        self.choose("threshold", 0)
        ActionChains(self.driver).move_to_element(self.item("queries", 1)).perform()
        self.settle()
        self.assertEqual({q for q, _, _ in self.lines()}, {1})
        ActionChains(self.driver).move_to_element(self.driver.find_element(By.ID, "answer")).perform()
        self.settle()
        self.assertEqual({q for q, _, _ in self.lines()}, set(range(len(self.view["tokens"]))))

    def test_threshold_and_strongest(self):
        self.choose("threshold", 20)
        self.assert_close(self.lines(), {at: weight for at, weight in self.expected(1).items()
                                         if weight >= 0.2})
        self.choose("threshold", 0)
        self.driver.find_element(By.ID, "strongest").click()
        self.settle()
        best = {}
        for (q, k, h), weight in self.expected(1).items():
            best[q] = max(best.get(q, 0), weight)
        drawn = self.lines()
        self.assertEqual(len(drawn), len(best))
        for (q, _, _), weight in drawn.items():
            self.assertAlmostEqual(weight, best[q], delta=2e-5)

    def test_looks_that_are_spread_thin_are_shown(self):
        """Those of an untrained model in a long text are below every usual threshold."""
        heed("train", "classify", "--train", "data.tsv", "--out", "untrained", "--d-model", 32,
             "--num-heads", 4, "--num-layers", 1, "--max-length", 128, "--max-steps", 1, "--lr", 1e-9,
             "--threads", 1, cwd=self.folder, code=0)
        heed("attend", "untrained", " ".join(["rain"] * 128), "--out", "thin.html", cwd=self.folder,
             code=0)
        self.open("thin.html")
        self.assertTrue(self.lines())
        # Every pair is a picture now; a click in its middle chooses a token there.
        self.driver.execute_script(
            "const canvas = document.querySelector('#matrix canvas'), box = canvas.getBoundingClientRect();"
            "canvas.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: box.x + box.width / 3,"
            "  clientY: box.y + box.height / 2}));")
        self.settle()
        chosen = self.driver.find_element(By.CSS_SELECTOR, "#queries [aria-selected=true]")
        middle = len(self.driver.find_elements(By.CSS_SELECTOR, "#queries li")) / 2
        self.assertAlmostEqual(int(chosen.get_attribute("data-index")), middle, delta=2)
        self.assertIn(self.driver.find_element(By.ID, "threshold-value").text, ("0 %", "1 %", "2 %"))

    def test_heads_are_chosen(self):
        self.choose("threshold", 0)
        self.driver.find_element(By.CSS_SELECTOR, "#heads input[value='2']").click()
        self.settle()
        self.assertEqual({h for _, _, h in self.lines()}, {0, 1, 3})
        none = self.driver.find_elements(By.CSS_SELECTOR, "#heads button")[1]
        none.click()
        self.settle()
        self.assertEqual(self.lines(), {})

    def test_the_overview_chooses_a_head_by_mouse_and_by_key(self):
        self.choose("threshold", 0)
        buttons = self.driver.find_elements(By.CSS_SELECTOR, "#overview button")
        self.assertEqual(len(buttons), 8)
        buttons[1].click()
        self.settle()
        self.assertEqual({h for _, _, h in self.lines()}, {1})
        self.assertEqual(self.driver.find_element(By.ID, "layer").get_attribute("value"), "0")
        buttons[1].send_keys(Keys.ARROW_DOWN, Keys.ENTER)
        self.settle()
        self.assertEqual(self.driver.find_element(By.ID, "layer").get_attribute("value"), "1")
        self.assertEqual(buttons[5].get_attribute("aria-pressed"), "true")
        self.assertRegex(buttons[5].get_attribute("aria-label"),
                         r"^layer 2, head 2: spreads over \d+\.\d tokens on average$")

    def test_clicking_pins_and_escape_lets_go(self):
        self.choose("threshold", 0)
        self.item("queries", 0).click()
        self.settle()
        self.assertEqual({q for q, _, _ in self.lines()}, {0})
        self.assertEqual(self.item("queries", 0).get_attribute("aria-selected"), "true")
        facts = self.driver.find_element(By.CSS_SELECTOR, "#token-facts")
        self.assertIn("looks at", facts.text)
        mean = [0.0] * len(self.view["tokens"])
        for head in range(4):
            for k, weight in enumerate(self.weights[1, head][0]):
                mean[k] += weight / 4
        rows = self.driver.execute_script(
            "return [...document.querySelectorAll('#token-facts tr[data-weight]')].map("
            "(row) => Number(row.dataset.weight))")
        for found, wanted in zip(rows, sorted(mean, reverse=True)):
            self.assertAlmostEqual(found, wanted, delta=2e-5)
        self.item("queries", 0).send_keys(Keys.ESCAPE)
        self.assertIn("Choose a token", facts.text)

    def test_the_side_that_is_looked_at(self):
        self.choose("threshold", 0)
        self.item("keys", 1).click()
        self.settle()
        self.assertEqual({k for _, k, _ in self.lines()}, {1})
        self.assertIn("is looked at by", self.driver.find_element(By.ID, "token-facts").text)

    def test_arrow_keys_move_and_enter_pins(self):
        self.item("queries", 0).send_keys(Keys.ARROW_DOWN)
        active = self.driver.switch_to.active_element
        self.assertEqual(active.get_attribute("data-index"), "1")
        active.send_keys(Keys.ARROW_RIGHT)
        active = self.driver.switch_to.active_element
        self.assertEqual(active.find_element(By.XPATH, "..").get_attribute("id"), "keys")
        active.send_keys(Keys.END)
        active = self.driver.switch_to.active_element
        self.assertEqual(active.get_attribute("data-index"), str(len(self.view["tokens"]) - 1))
        active.send_keys(Keys.ENTER)
        self.assertEqual(active.get_attribute("aria-selected"), "true")

    def test_search(self):
        box = self.driver.find_element(By.ID, "search")
        box.send_keys("WIND")
        marked = self.driver.find_elements(By.CSS_SELECTOR, "li.found")
        self.assertEqual([item.text for item in marked], ["wind", "wind"])
        box.send_keys(Keys.ENTER)
        self.assertEqual(marked[0].get_attribute("aria-selected"), "true")

    def test_numbers_in_cells(self):
        cells = self.driver.find_elements(By.CSS_SELECTOR, "#matrix tbody tr[data-query='0'] td")
        for key, cell in enumerate(cells):
            mean = sum(self.weights[1, head][0][key] for head in range(4)) / 4
            self.assertAlmostEqual(float(cell.text or 0), 100 * mean, delta=0.51)

    def test_a_token_that_is_markup_stays_text(self):
        tokens = [item.text for item in self.driver.find_elements(By.CSS_SELECTOR, "#queries li")]
        self.assertEqual(tokens, self.view["tokens"])
        self.assertIn("script", "".join(tokens))
        self.assertEqual(self.driver.get_log("browser"), [])

    def test_needs_no_network(self):
        self.assertNotRegex((self.folder / "page.html").read_text(), r"(src|href)=|@import|url\(")

    def test_alignment_of_a_translation(self):
        shown = heed("attend", "translator", "one three two", "--json", "--out", "alignment.html",
                     cwd=self.folder, code=0)
        view = json.loads(shown.stdout)
        self.open("alignment.html")
        heads = [a["weights"] for a in view["attention"]]
        for (q, k, _), weight in self.lines().items():
            mean = [sum(column) / 2 for column in zip(heads[0][q], heads[1][q])]
            self.assertAlmostEqual(weight, max(mean), delta=2e-5)
        self.assertEqual(len(self.lines()), len(view["tokens"]))
        self.assertEqual(self.driver.find_element(By.ID, "right-caption").text,
                         "looks at the text that was read")

    def test_accessible_in_light_and_dark_and_on_a_phone(self):
        if browser.axe_script() is None:
            self.skipTest("no package brings axe-core")
        for scheme in ("light", "dark"):
            for width in (1280, 380):
                with self.subTest(scheme=scheme, width=width):
                    self.driver.set_window_size(width, 900)
                    self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
                    self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                        "width": width, "height": 900, "deviceScaleFactor": 1,
                        "mobile": width < 400})
                    self.open("page.html")
                    self.item("queries", 0).click()
                    self.settle()
                    self.assertEqual(browser.accessibility_faults(self.driver), [])
                    overflow = self.driver.execute_script(
                        "return document.documentElement.scrollWidth - innerWidth")
                    self.assertLessEqual(overflow, 0)
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


if __name__ == "__main__":
    unittest.main()
