"""heed.accelerate(model) in other people's training loops: the Trainer of `transformers`, Accelerate on a
CPU, and PEFT's LoRA. Ten steps of each beside the same with the eager model.

usage: test_trainers.py LIBHEED
"""

import copy
import tempfile
import unittest
import warnings

import package

package.need("transformers", "accelerate")

import importlib.util

import accelerate
import tiny_models
import torch
import transformers

import heed

STEPS = 10


def both(family, dropout=0.0):
    """The eager model, the same on Heed's kernels, and their batch."""
    torch.manual_seed(1)
    eager, batch = tiny_models.FAMILIES[family](dropout)
    with torch.no_grad():
        for parameter in eager.parameters():
            if parameter.dim() == 2:
                parameter.normal_(0, 0.15)
    eager.set_attn_implementation("eager")
    return eager, heed.accelerate(copy.deepcopy(eager)), batch


def examples(batch):
    count = len(next(iter(batch.values())))
    return [{name: values[i] for name, values in batch.items()} for i in range(count)]


def trained_by_trainer(model, batch, **options):
    """The losses and the norms of the gradients that the Trainer logs."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder, max_steps=STEPS, per_device_train_batch_size=3, learning_rate=1e-3,
            logging_steps=1, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True,
            seed=3, **options,
        )  # fmt: skip
        trainer = transformers.Trainer(model=model, args=arguments, train_dataset=examples(batch))
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        history = [entry for entry in trainer.state.log_history if "grad_norm" in entry]
        trainer.save_model(folder)
    return torch.tensor([[entry["loss"], entry["grad_norm"]] for entry in history])


def trained_by_hand(model, batch, accelerator=None):
    """The losses, and the gradients of what learns, of ten steps."""
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    # Not AdamW, whose first steps are the signs of gradients, those of noise too.
    optimizer = torch.optim.SGD(learned.values(), lr=0.02, momentum=0.9)
    backward = torch.Tensor.backward
    if accelerator is not None:
        model, optimizer = accelerator.prepare(model, optimizer)
        backward = accelerator.backward
    losses, gradients = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = model(**batch).loss
        backward(loss)
        losses.append(loss.detach())
        gradients.append({name: p.grad.clone() for name, p in learned.items() if p.grad is not None})
        optimizer.step()
    return torch.stack(losses), gradients


class Loops(unittest.TestCase):
    def same_steps(self, found, expected):
        torch.testing.assert_close(found[0], expected[0], rtol=1e-3, atol=1e-4)
        for ours, theirs in zip(found[1], expected[1]):
            self.assertEqual(list(ours), list(theirs))
            for name in theirs:
                difference = (ours[name] - theirs[name]).norm() / (theirs[name].norm() + 1e-3)
                self.assertLess(difference, 1e-2, name)

    def test_trainer(self):
        for family in tiny_models.FAMILIES:
            with self.subTest(family):
                eager, ours, batch = both(family)
                expected = trained_by_trainer(eager, batch)
                self.assertEqual(len(expected), STEPS)
                found = trained_by_trainer(ours, batch)
                torch.testing.assert_close(found, expected, rtol=1e-2, atol=2e-4)

    def test_trainer_with_dropout_checkpoints_and_bfloat16(self):
        for family in ("BERT", "GPT-2", "Llama", "T5"):
            with self.subTest(family):
                _, ours, batch = both(family, dropout=0.1)
                log = trained_by_trainer(ours, batch, bf16=True, gradient_checkpointing=True)
                self.assertTrue(log.isfinite().all())
                self.assertLess(log[-3:, 0].mean(), log[:3, 0].mean())

    def test_accelerate(self):
        for family in tiny_models.FAMILIES:
            with self.subTest(family):
                eager, ours, batch = both(family)
                expected = trained_by_hand(eager.train(), batch, accelerate.Accelerator(cpu=True))
                found = trained_by_hand(ours.train(), batch, accelerate.Accelerator(cpu=True))
                self.same_steps(found, expected)


@unittest.skipIf(importlib.util.find_spec("peft") is None, "peft is not installed")
class Lora(Loops):
    test_trainer = test_accelerate = test_trainer_with_dropout_checkpoints_and_bfloat16 = None

    def adapted(self, model):
        import peft

        torch.manual_seed(2)
        config = peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
        return peft.get_peft_model(model, config)

    def test_around_and_inside(self):
        """The adapters put in after heed.accelerate, and before."""
        for family in tiny_models.FAMILIES:
            with self.subTest(family):
                eager, ours, batch = both(family)
                before = copy.deepcopy(eager)
                expected = trained_by_hand(self.adapted(eager).train(), batch)
                self.same_steps(trained_by_hand(self.adapted(ours).train(), batch), expected)
                inside = heed.accelerate(self.adapted(before))
                self.same_steps(trained_by_hand(inside.train(), batch), expected)

    def test_merging(self):
        for family in ("BERT", "GPT-2", "Llama"):
            with self.subTest(family):
                _, ours, batch = both(family)
                adapted = self.adapted(ours).eval()
                with torch.no_grad():
                    expected = adapted(**batch).loss
                    merged = adapted.merge_and_unload()
                    torch.testing.assert_close(merged(**batch).loss, expected, rtol=1e-3, atol=1e-4)
                    heed.restore(merged)
                    torch.testing.assert_close(merged(**batch).loss, expected, rtol=1e-3, atol=1e-4)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    unittest.main()
