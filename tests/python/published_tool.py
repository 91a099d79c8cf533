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
skipped = []  # what a test lacks to be run
running = []  # the tool, started with the first question: it answers a line with a line


def check(holds, *what):
    if not holds:
        failures.append(" ".join(str(part) for part in what))
        print("FAILED", *what)


def skip(why):
    skipped.append(why)
    print("skipped:", why)


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


def any_field(name, directory):
    """Whatever a field of config.json says, what comes is logits or one line about the directory."""
    path = directory / "config.json"
    good = json.loads(path.read_text())
    refusals = 0
    for field in good:
        for wrong in (-1, 1 << 24, "unheard", [None]):
            path.write_text(json.dumps(good | {field: wrong}))
            told, _ = opened(directory)
            message = told.get("error", "")
            check("\n" not in message and (not message or str(directory) in message), name, field, wrong, message)
            refusals += bool(message)
    check(refusals > len(good), name, refusals, "of", 4 * len(good), "are refused")
    path.write_text(json.dumps(good))


def held_adapter(name, directory, kind, batch, answer, config):
    """An adapter of peft for the model in `directory` opens with the logits that it has there; saved again, peft opens
    it; merged, transformers does."""
    import peft

    adapted = peft.get_peft_model(kind.from_pretrained(directory), config)
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter += torch.randn_like(parameter) * 0.05
    folder = FOLDER / name
    adapted.save_pretrained(folder)
    save_file(batch, folder / "inputs.st")
    # Of its base: peft's model for question answering forgets the token types.
    expected = answer(adapted.eval().base_model, batch)
    told, logits = opened(folder, save=str(folder) + "_saved", merged=str(folder) + "_merged")
    check("error" not in told, name, told.get("error"))
    if logits is None:
        return
    scale = expected.abs().max().item()

    def near(what, logits):
        error = (logits - expected).abs().max().item()
        check(error <= 2e-5 * max(scale, 1), name, what, f"differs by {error:.3g} of {scale:.3g}")

    near("opened", masked(logits, batch))
    again = peft.PeftModel.from_pretrained(kind.from_pretrained(directory), str(folder) + "_saved")
    near("saved and opened by peft", answer(again.eval().base_model, batch))
    ours = set(load_file(Path(str(folder) + "_saved") / "adapter_model.safetensors"))
    theirs = set(load_file(folder / "adapter_model.safetensors"))
    check(ours == theirs, name, "saved: other tensors", sorted(ours ^ theirs)[:4])
    near("merged", answer(kind.from_pretrained(str(folder) + "_merged").eval(), batch))


def run(tests):
    """Those of a script, one after the other; then it ends: with 77, for ctest, where all that ran passed and something
    was skipped."""
    for test in tests:
        test()
    for tool in running:
        rest, _ = tool.communicate()
        check(tool.returncode == 0 and not rest, "the tool ended with", tool.returncode, rest[-2000:],
              (FOLDER / "stderr").read_text()[-2000:])  # fmt: skip
    if failures:
        sys.exit(f"{len(failures)} checks failed")
    if skipped:
        sys.exit(77)
