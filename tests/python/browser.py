"""A headless Chromium for tests of pages; without it, or without Selenium, they are skipped.

Debian: chromium, chromium-driver. PyPI: selenium, and axe-selenium-python for its axe.min.js.
"""

import shutil
import sys
from pathlib import Path

SKIPPED = 77


def missing():
    """What is not there, or None."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return f"{program} is not installed (apt-get install chromium chromium-driver)"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "the Python package selenium is not installed"
    return None


def skip_if_missing():
    reason = missing()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)


def start(width=1280, height=900):
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(
        shutil.which("chromedriver")))
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(120)
    return driver


def axe_script():
    """The text of axe-core, or None where no package brings it."""
    import importlib.util
    found = importlib.util.find_spec("axe_selenium_python")
    if not found:
        return None
    scripts = sorted(Path(found.origin).parent.rglob("axe.min.js"))
    return scripts[0].read_text("utf-8") if scripts else None


def accessibility_faults(driver):
    """What axe-core finds wrong on the page that is open."""
    driver.execute_script(axe_script())
    found = driver.execute_async_script("axe.run().then(arguments[0]);")
    return [f"{fault['id']}: {fault['help']}: " +
            "; ".join(node["html"][:120] for node in fault["nodes"][:3])
            for fault in found["violations"]]
