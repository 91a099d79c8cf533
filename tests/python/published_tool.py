"""Asks heed_published_tool, the first argument of the command line of a test, what it makes of directories of
published models, and counts what does not hold."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    import transformers
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import published_models as tiny  # noqa: E402

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)
TOOL = sys.argv[1]
FOLDER = Path(tempfile.mkdtemp(prefix="heed-published-"))
failures = []
running = []  # the tool, started with the first question: it answers a line with a line


def check(holds, *what):
    if not holds:
        failures.append(" ".join(str(part) for part in what))
        print("FAILED", *what)


def ask(requests):
    """What the tool says of each."""
    if not running:
        running.append(subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=(FOLDER / "stderr").open("w")))  # fmt: skip
    tool, said = running[0], []
    for request in requests:
        try:
            tool.stdin.write(json.dumps(request) + "\n")
            tool.stdin.flush()
        except BrokenPipeError:
            pass  # there is no answer either
        line = tool.stdout.readline()
        if not line:
            sys.exit(f"the tool ended with {tool.wait()} at {request}: {(FOLDER / 'stderr').read_text()[-2000:]}")
        said.append(json.loads(line))
    return said


def rolled(tensor, mask):
    """Rows that begin with their first real token."""
    rows = [row.roll(-int(real.argmax()), 0) for row, real in zip(tensor, mask)]
    return torch.stack(rows)


def logits_of(out):
    if "start_logits" in out:
        return torch.stack([out.start_logits, out.end_logits], -1)
    return out.logits if "logits" in out else out.last_hidden_state


def answers(model, batch):
    """Logits, or the states of a model without a head, rows beginning with their first real token
    and, of models that look at each token, zeros behind the last."""
    with torch.no_grad():
        logits = logits_of(model(**batch))
    if "decoder_input_ids" in batch or logits.dim() == 2:
        return logits
    return masked(rolled(logits, batch["attention_mask"]), batch)


def masked(logits, batch):
    if logits.dim() < 3 or "decoder_input_ids" in batch:
        return logits
    lengths = batch["attention_mask"].sum(1, keepdim=True)
    real = torch.arange(logits.shape[1]) < lengths
    return logits.masked_fill(~real.unsqueeze(-1), 0)


def bert_case(head="ForMaskedLM"):
    return next(case for case in tiny.cases() if case.name == "Bert" + head)


def prepared_copy(name, case=None):
    """A directory with a tiny model, its tensors, its inputs and what it answers."""
    case = case or bert_case()
    model = case.model()
    directory = FOLDER / name
    model.save_pretrained(directory)
    batch = case.inputs(padding=model.config.pad_token_id or 0)
    save_file(batch, directory / "inputs.st")
    return directory, load_file(directory / "model.safetensors"), answers(model, batch), batch


def opened(directory, **more):
    """What the tool says of a directory, and the logits."""
    request = {
        "directory": str(directory),
        "inputs": str(directory / "inputs.st"),
        "outputs": str(directory / "outputs.st"),
    } | more
    told = ask([request])[0]
    logits = None if "error" in told else load_file(directory / "outputs.st")["logits"]
    return told, logits


def refused(what, directory, *words, **more):
    told, _ = opened(directory, **more)
    message = told.get("error", "")
    check(message and "\n" not in message, what, "was not refused in one line:", told)
    for word in words:
        check(word in message, what, f"the refusal does not say '{word}':", message)


def run(tests):
    """Those of a script, one after the other; then it ends."""
    for test in tests:
        test()
    for tool in running:
        rest, _ = tool.communicate()
        check(tool.returncode == 0 and not rest, "the tool ended with", tool.returncode, rest[-2000:],
              (FOLDER / "stderr").read_text()[-2000:])  # fmt: skip
    if failures:
        sys.exit(f"{len(failures)} checks failed")
