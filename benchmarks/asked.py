"""A process that answers each line with a line of JSON, and sleeps between two questions."""

import json
import subprocess
import sys


class Asked:
    def __init__(self, *command):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self):
        """What it says next, asked or not."""
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.command)} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, question=""):
        print(question, file=self.process.stdin, flush=True)
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
