"""heed.accelerate on the models of the `transformers` package: ten steps of training beside the eager
model, and what must stay as it is.

usage: test_transformers.py LIBHEED

tools/check_python.sh runs it with the last transformers of version 4, too.
"""

import copy
import inspect
import pickle
import unittest

import package

package.need("transformers")

import tiny_models
import torch
import transformers

import heed
from heed._transformers import pattern_of_mask


def steps(model, batch, count=10):
    """The losses and the gradients of so many steps."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses, gradients = [], []
    for _ in range(count):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        losses.append(loss.detach())
        gradients.append(
            {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        )
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return torch.stack(losses), gradients


def made(family, dropout=0.0):
    torch.manual_seed(1)
    model, batch = tiny_models.FAMILIES[family](dropout)
    # Larger weights than a fresh model has, so that the scores of attention are no zeros.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.normal_(0, 0.15)
    return model.train(), batch


# T5 of transformers 4 multiplies by itself.
IS_4 = int(transformers.__version__.split(".")[0]) < 5
NOT_EXCHANGEABLE = {"T5", "T5 gated"} if IS_4 else set()


def attention_replaced(model):
    return any(line.startswith("attention of") for line in heed.report(model).replaced)


class OwnAttention(torch.nn.Module):
    def forward(self, x, **options):
        return torch.nn.functional.scaled_dot_product_attention(x, x, x, **options)


class TenSteps(unittest.TestCase):
    def test_losses_and_gradients(self):
        for family in tiny_models.FAMILIES:
            with self.subTest(family):
                eager, batch = made(family)
                eager.set_attn_implementation("eager")
                ours = heed.accelerate(copy.deepcopy(eager))
                self.assertTrue(attention_replaced(ours) or family in NOT_EXCHANGEABLE)
                expected_losses, expected = steps(eager, batch)
                losses, gradients = steps(ours, batch)
                torch.testing.assert_close(losses, expected_losses, rtol=1e-3, atol=1e-4)
                for found, wanted in zip(gradients, expected):
                    self.assertEqual(list(found), list(wanted))
                    for name in wanted:
                        difference = (found[name] - wanted[name]).norm()
                        scale = wanted[name].norm() + 1e-3
                        self.assertLess(difference / scale, 1e-2, name)

    def test_with_dropout(self):
        for family in tiny_models.FAMILIES:
            with self.subTest(family):
                model, batch = made(family, dropout=0.1)
                heed.accelerate(model)
                losses, gradients = steps(model, batch)
                self.assertTrue(losses.isfinite().all())
                self.assertLess(losses[-3:].mean(), losses[:3].mean())
                with torch.no_grad():
                    self.assertFalse(torch.equal(model(**batch).loss, model(**batch).loss))
                model.eval()
                with torch.no_grad():
                    self.assertTrue(torch.equal(model(**batch).loss, model(**batch).loss))


class Stays(unittest.TestCase):
    def test_state_and_restoring(self):
        for family in tiny_models.FAMILIES:
            with self.subTest(family):
                model, batch = made(family)
                before = {name: type(module) for name, module in model.named_modules()}
                attention = model.config._attn_implementation
                parameters = dict(model.named_parameters())
                with torch.no_grad():
                    loss = model.eval()(**batch).loss
                heed.accelerate(model)
                after = dict(model.named_parameters())
                self.assertEqual(list(after), list(parameters))
                self.assertTrue(all(after[name] is parameters[name] for name in after))
                for name, module in model.named_modules():
                    self.assertIsInstance(module, before[name])
                heed.restore(model)
                self.assertEqual({n: type(m) for n, m in model.named_modules()}, before)
                self.assertEqual(model.config._attn_implementation, attention)
                self.assertNotIn("_loss_function", model.__dict__)
                with torch.no_grad():
                    self.assertTrue(torch.equal(model(**batch).loss, loss))

    def test_copies_and_pickles(self):
        model, batch = made("BERT")
        heed.accelerate(model).eval()
        with torch.no_grad():
            loss = model(**batch).loss
            for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                self.assertTrue(torch.equal(other(**batch).loss, loss))
                heed.restore(other)
                self.assertIs(type(other.bert.encoder.layer[0].output.dense), torch.nn.Linear)
        self.assertIsNot(type(model.bert.encoder.layer[0].output.dense), torch.nn.Linear)

    def test_a_second_time_changes_nothing(self):
        model, _ = made("GPT-2")
        heed.accelerate(model)
        classes = [type(module) for module in model.modules()]
        heed.accelerate(model)
        self.assertEqual(classes, [type(module) for module in model.modules()])

    def test_a_hook_sees_what_it_saw(self):
        for part in ("dense", "intermediate_act_fn"):
            outputs = []
            for change in (lambda model: model, heed.accelerate):
                model, batch = made("BERT")
                change(model)
                layer = getattr(model.bert.encoder.layer[0].intermediate, part)
                layer.register_forward_hook(lambda module, given, output: outputs.append(output))
                with torch.no_grad():
                    model(**batch)
            torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)


def losses_called(model, batch):
    """Which operators compute the loss of a step."""
    with torch.profiler.profile() as profile:
        model(**batch).loss.backward()
    names = {event.name for event in profile.events()}
    return names & {"heed::cross_entropy", "aten::nll_loss_nd", "aten::nll_loss_forward"}


class Losses(unittest.TestCase):
    def test_each_family_has_heeds(self):
        """What the report says of the cross entropy is what is called. ViT's loss is transformers' own, and
        it says so."""
        for family in tiny_models.FAMILIES:
            with self.subTest(family):
                model, batch = made(family)
                heed.accelerate(model)
                said = heed.report(model).replaced["cross entropy"]
                self.assertEqual(said, 0 if family == "ViT" else 1)
                found = losses_called(model, batch)
                if said:
                    self.assertEqual(found, {"heed::cross_entropy"})
                else:
                    self.assertNotIn("heed::cross_entropy", found)
                    self.assertIn("a loss of transformers", str(heed.report(model)))
                heed.restore(model)
                self.assertNotIn("heed::cross_entropy", losses_called(model, batch))

    def test_of_a_module_that_calls_torchs(self):
        class Classifier(torch.nn.Module):
            def forward(self, x, target, **options):
                return torch.nn.functional.cross_entropy(x, target, **options)

        torch.manual_seed(5)
        x, target = torch.randn(6, 9, 4), torch.randint(9, (6, 4))
        for options in ({}, {"label_smoothing": 0.1, "reduction": "sum"}, {"weight": torch.rand(9)}):
            with self.subTest(list(options)):
                expected = Classifier()(x, target, **options)
                model = heed.accelerate(Classifier())
                torch.testing.assert_close(model(x, target, **options), expected)
                self.assertEqual(heed.report(model).replaced["cross entropy"], 1)

    def test_the_signature_stays(self):
        """By which the Trainer chooses the columns of a data set."""
        model, _ = made("BERT")
        before = inspect.signature(model.forward)
        heed.accelerate(model)
        self.assertIn("cross entropy", str(heed.report(model)))
        self.assertEqual(inspect.signature(model.forward), before)


class Says(unittest.TestCase):
    def test_what_was_replaced(self):
        model, _ = made("BERT")
        text = str(heed.report(heed.accelerate(model)))
        for line in (
            "1  attention of BertForMaskedLM",
            "3  GELUActivation after a linear layer",
            "2  dropout + residual of BertSelfOutput",
            "1  cross entropy",
            "LayerNorm",
        ):
            self.assertIn(line, text)
        self.assertEqual(str(heed.report(heed.restore(model))), "")

    def test_what_was_not(self):
        model, _ = made("ViT")
        self.assertIn("Conv2d: no kernel of Heed's", str(heed.report(heed.accelerate(model))))

        class Doubled(torch.nn.Linear):
            def forward(self, x):
                return 2 * super().forward(x)

        model = torch.nn.Sequential(Doubled(2, 2))
        x = torch.randn(3, 2)
        expected = model(x)
        self.assertIn("Doubled: its own kind of Linear", str(heed.report(heed.accelerate(model))))
        self.assertTrue(torch.equal(model(x), expected))

    def test_a_norm_with_another_formula_is_kept(self):
        class OtherRMSNorm(transformers.models.llama.modeling_llama.LlamaRMSNorm):
            def forward(self, x):
                return super().forward(x) + x

        model = heed.accelerate(torch.nn.Sequential(OtherRMSNorm(4)))
        self.assertIn("OtherRMSNorm: its formula is no RMS norm", str(heed.report(model)))

    def test_other_things_are_refused(self):
        with self.assertRaisesRegex(TypeError, "expected a torch.nn.Module, got int"):
            heed.accelerate(3)


class Attention(unittest.TestCase):
    def test_by_name_alone(self):
        torch.manual_seed(2)
        # Of transformers 4 the encoders like BERT take no other name than torch's.
        kind, its = (
            (transformers.LlamaModel, transformers.LlamaConfig)
            if IS_4
            else (transformers.BertModel, transformers.BertConfig)
        )
        config = its(vocab_size=60, attn_implementation="heed", **tiny_models.SMALL)
        model = kind(config).eval()
        self.assertEqual(model.config._attn_implementation, "heed")
        batch = tiny_models.padded(tiny_models.ids())
        with torch.no_grad():
            ours = model(**batch, output_attentions=True)
            model.set_attn_implementation("eager")
            expected = model(**batch, output_attentions=True)
        real = batch["attention_mask"].bool()
        torch.testing.assert_close(
            ours.last_hidden_state[real], expected.last_hidden_state[real], rtol=1e-4, atol=1e-5
        )
        for a, b in zip(ours.attentions, expected.attentions):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)

    def test_a_module_that_calls_torchs_attention(self):
        torch.manual_seed(4)
        x = torch.randn(2, 4, 6, 8)
        padded = torch.ones(2, 1, 6, 6, dtype=torch.bool)
        padded[1, :, :, 4:] = False
        least = torch.zeros(2, 1, 6, 6).masked_fill(~padded, torch.finfo(torch.float32).min)
        cases = [{}, {"is_causal": True}, {"attn_mask": padded}, {"attn_mask": least},
                 {"attn_mask": torch.randn(6, 6)}, {"scale": 0.3}]  # fmt: skip
        for options in cases:
            with self.subTest(list(options)):
                expected = OwnAttention()(x, **options)
                model = heed.accelerate(OwnAttention())
                self.assertEqual(heed.report(model).replaced["attention of OwnAttention"], 1)
                with torch.profiler.profile() as profile:
                    found = model(x, **options)
                self.assertIn("heed::attention", [event.name for event in profile.events()])
                torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        mask = torch.ones(6, 6, dtype=torch.bool)
        model(x, attn_mask=mask)
        mask[:, 3:] = False  # the same tensor, another mask
        torch.testing.assert_close(model(x, attn_mask=mask), OwnAttention()(x, attn_mask=mask))

    def test_generation_with_a_cache(self):
        for family in ("GPT-2", "Llama", "Qwen2", "T5", "BART"):
            with self.subTest(family):
                model, batch = made(family)
                model.eval()
                inputs = {key: batch[key] for key in ("input_ids", "attention_mask")}
                if family in ("GPT-2", "Llama", "Qwen2"):  # padded in front
                    inputs = {key: value.flip(1) for key, value in inputs.items()}
                options = dict(max_new_tokens=8, do_sample=False, pad_token_id=0, eos_token_id=None)
                expected = model.generate(**inputs, **options)
                found = heed.accelerate(model).generate(**inputs, **options)
                self.assertTrue(torch.equal(found, expected))

    def test_masks_become_patterns(self):
        ones = torch.ones(2, 1, 6, 9, dtype=torch.bool)
        causal = ones.tril(3)
        lengths = torch.arange(9) < torch.tensor([9, 5]).view(-1, 1, 1, 1)
        cases = {
            "full": ones,
            "window(-1,0)": causal,
            "window(2,0)": causal & ones.triu(1),
            "window(2,1)": ones.tril(4) & ones.triu(1),
            "and(window(-1,0),padded(int64[2]))": causal & lengths,
            "padded(int64[2])": ones & lengths,
            "mask(bool[2, 1, 1, 9])": ones & lengths.flip(-1),
            "mask(bool[2, 1, 6, 9])": causal & (torch.rand(6, 9) < 0.5),
        }
        for text, mask in cases.items():
            with self.subTest(text):
                torch.manual_seed(3)
                pattern = pattern_of_mask(mask)
                self.assertEqual(str(pattern), text)
                q, k = torch.randn(2, 2, 6, 8), torch.randn(2, 2, 9, 8)
                torch.testing.assert_close(
                    heed.attention(q, k, k, pattern=pattern),
                    heed.attention(q, k, k, pattern=heed.from_mask(mask)),
                )

    def test_sinks_are_refused(self):
        x = torch.randn(1, 2, 4, 8)
        with self.assertRaisesRegex(ValueError, "attention sinks"):
            heed._transformers.attention_forward(None, x, x, x, None, s_aux=torch.zeros(2))

    def test_compiled(self):
        """In one graph. BERT's forward makes its own loss, GPT-2's and Llama's take Heed's."""
        for family in ("BERT", "GPT-2", "Llama"):
            with self.subTest(family):
                torch._dynamo.reset()
                model, batch = made(family)
                expected = model(**batch).loss
                heed.accelerate(model)
                compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
                torch.testing.assert_close(compiled(**batch).loss, expected, rtol=1e-4, atol=1e-4)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    unittest.main()
