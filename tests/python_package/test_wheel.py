"""The wheel of `make wheel`: what is in it, and that what is unpacked beside torch works. The libraries and
fonts that it brings along are left out; tools/check_wheel.sh installs the whole in fresh environments.

usage: test_wheel.py LIBHEED BUILD_FOLDER
"""

import base64
import csv
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import package
import torch

BUILD = Path(sys.argv.pop(1)).resolve()


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ |= {"HEED_BUILD": str(BUILD), "HEED_BUNDLE": "no"}
        import wheel_backend

        wheel_backend.run("cmake", "--build", BUILD, "--target", "heed_share")
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="heed-wheel-")))
        cls.site = cls.folder / "site"
        name = wheel_backend.build_wheel(str(cls.folder))
        cls.name = name
        with zipfile.ZipFile(cls.folder / name) as wheel:
            for entry in wheel.infolist():
                (cls.site / wheel.extract(entry, cls.site)).chmod(entry.external_attr >> 16)
        (cls.site / "torch").symlink_to(Path(torch.__file__).parent)

    def text(self, name):
        return next(self.site.glob(f"heed-*.dist-info/{name}")).read_text("utf-8")

    def run_in_it(self, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(self.site)}
        environment.pop("HEED_LIBRARY", None)
        return subprocess.run([sys.executable, *map(str, arguments)], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=300)  # fmt: skip

    def test_one_wheel_for_every_python_and_one_torch(self):
        self.assertRegex(self.name, r"^heed-[\d.]+-py3-none-linux_\w+\.whl$")
        major, minor = torch.__version__.split(".")[:2]
        self.assertIn(f"\nRequires-Dist: torch ~={major}.{minor}.0\n", self.text("METADATA"))
        self.assertIn("\nRequires-Python: >=3.10\n", self.text("METADATA"))
        self.assertIn("heed = heed_program:main", self.text("entry_points.txt"))
        symbols = subprocess.run(["nm", "-D", "--undefined-only", self.site / "heed/lib/libheed.so"],
                                 capture_output=True, text=True, check=True).stdout  # fmt: skip
        self.assertEqual(re.findall(r" U (_?Py[A-Z_]\w*)", symbols), [])

    def test_its_record_names_every_file(self):
        rows = list(csv.reader(self.text("RECORD").splitlines()))
        with zipfile.ZipFile(self.folder / self.name) as wheel:
            self.assertEqual(sorted(wheel.namelist()), sorted(name for name, _, _ in rows))
            for name, digest, size in rows:
                if digest:
                    data = wheel.read(name)
                    made = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                    self.assertEqual((f"sha256={made}", str(len(data))), (digest, size), name)
        for name in ("heed/py.typed", "heed/demo/train.tsv", "heed/include/heed/heed.h"):
            self.assertTrue((self.site / name).is_file(), name)

    def test_the_package_and_its_cmake_package(self):
        done = self.run_in_it("-c", "import heed, torch\n"
                              "x = torch.randn(1, 2, 5, 8)\n"
                              "torch.testing.assert_close(heed.attention(x, x, x),"
                              " torch.nn.functional.scaled_dot_product_attention(x, x, x))\n"
                              "print(heed.library_path(), heed.cmake_prefix())")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(), [str(self.site / "heed/lib/libheed.so"), str(self.site / "heed")])
        config = (self.site / "heed/lib/cmake/heed/heedConfig.cmake").read_text("utf-8")
        self.assertNotIn(str(BUILD), config)

    def test_the_demo(self):
        settings = self.site / "heed/demo/settings.toml"
        settings.write_text(re.sub(r"(?m)^epochs *= *\d+", "epochs = 1", settings.read_text("utf-8")))
        done = self.run_in_it("-m", "heed", "demo", "out")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("accuracy", done.stdout)
        self.assertTrue((self.folder / "out/heat.png").read_bytes().startswith(b"\x89PNG"))
        self.assertTrue((self.folder / "out/model/model.safetensors").is_file())

    def test_another_torch_is_refused_in_one_line(self):
        built_with = self.site / "heed/_built_with.py"
        text = built_with.read_text("utf-8")
        try:
            built_with.write_text('TORCH = "1.2.3"\n')
            done = self.run_in_it("-c", "import heed")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr.splitlines()[-1],
                             r"^ImportError: heed: built for torch 1\.2\.3, and this is torch .*pip install 'torch==1\.2\.3'$")
        finally:
            built_with.write_text(text)


if __name__ == "__main__":
    unittest.main()
