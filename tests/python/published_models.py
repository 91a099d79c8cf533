"""Tiny random models of the `transformers` package, one or more of each architecture and head that
Heed opens, with odd sizes. Nothing is downloaded."""

import math

import torch
import transformers as tf

VOCABULARY = 67
ROWS = 24
SMALL = dict(vocab_size=VOCABULARY, hidden_size=24, num_attention_heads=3, num_hidden_layers=2,
             intermediate_size=40, max_position_embeddings=30)  # fmt: skip
LABELS = {0: "no", 1: "perhaps", 2: "yes"}
HEADS = {
    "": "features",
    "ForMaskedLM": "masked language model",
    "ForCausalLM": "causal language model",
    "LMHeadModel": "causal language model",
    "ForSequenceClassification": "sequence classification",
    "ForTokenClassification": "token classification",
    "ForQuestionAnswering": "question answering",
    "ForConditionalGeneration": "conditional generation",
    "MTModel": "conditional generation",
}
ENCODER_HEADS = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification",
                 "ForQuestionAnswering")  # fmt: skip
DECODER_HEADS = ("Model", "ForCausalLM", "ForSequenceClassification", "ForTokenClassification",
                 "ForQuestionAnswering")  # fmt: skip


class Case:
    """A model, and what its inputs are like."""

    def __init__(self, name, make, types=0, first=3, targets=False, traps=(), end=None):
        self.name, self.make = name, make
        self.types, self.first, self.targets, self.end = types, first, targets, end
        self.traps = traps

    def model(self):
        torch.manual_seed(sum(self.name.encode()))
        model = self.make().eval()
        fixed = [module.weight for module in model.modules()  # not saved
                 if "SinusoidalPositional" in type(module).__name__]  # fmt: skip
        with torch.no_grad():
            for parameter in model.parameters():
                if any(parameter is table for table in fixed):
                    continue
                parameter += torch.randn_like(parameter) * (0.12 if parameter.dim() > 1 else 0.2)
            for name, buffer in model.named_buffers():
                if name == "final_logits_bias":  # trap 33
                    buffer.copy_(torch.randn_like(buffer))
        return model

    def inputs(self, left=False, padding=0):
        """A batch of rows of different lengths; the first is as long as the batch. So many rows that
        the largest error is not that of one of them by chance."""
        generator = torch.Generator().manual_seed(7)
        lengths = torch.tensor([11, 8, 5, 1] * (ROWS // 4))
        length = int(lengths.max())

        def ids(columns):
            return torch.randint(self.first, VOCABULARY, (ROWS, columns), generator=generator)

        column = torch.arange(length)
        mask = column >= length - lengths.unsqueeze(1) if left else column < lengths.unsqueeze(1)
        batch = {"input_ids": ids(length).masked_fill(~mask, padding), "attention_mask": mask.long()}
        if self.end is not None:
            batch["input_ids"][mask & ~mask.roll(-1, 1) | mask & (column == length - 1)] = self.end
        if self.types > 1:
            batch["token_type_ids"] = torch.randint(0, self.types, (ROWS, length), generator=generator)
        if self.targets:
            batch["decoder_input_ids"] = ids(6)
        return batch


def encoders(name, config, prefix=None, heads=ENCODER_HEADS, variant="", types=0, first=3, end=None, **more):
    prefix = prefix or name
    for head in heads:
        kind = getattr(tf, prefix + head)

        labels = {} if head == "ForQuestionAnswering" else dict(id2label=LABELS)

        def make(kind=kind, labels=labels):
            return kind(config(**labels, **more))

        yield Case(f"{prefix}{head}{variant}", make, types=types, first=first, end=end)


def bert_like():
    dropouts = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    bert = SMALL | dropouts
    yield from encoders("Bert", tf.BertConfig, types=2, **bert)  # traps 6, 13, 19
    yield from encoders("Bert", tf.BertConfig, types=2, heads=("ForMaskedLM",), variant=" untied",
                        tie_word_embeddings=False, **bert)  # fmt: skip
    yield from encoders("Bert", tf.BertConfig, types=2, heads=("ForMaskedLM",),
                        variant=" tanh, eps 1e-5", hidden_act="gelu_new", layer_norm_eps=1e-5,
                        **bert)  # traps 14, 18
    roberta = bert | dict(type_vocab_size=1)  # trap 11
    yield from encoders("Roberta", tf.RobertaConfig, **roberta)
    yield from encoders("Roberta", tf.RobertaConfig, heads=("ForMaskedLM",), variant=" untied",
                        tie_word_embeddings=False, **roberta)  # fmt: skip
    yield from encoders("XLMRoberta", tf.XLMRobertaConfig, **roberta)
    yield from encoders("Camembert", tf.CamembertConfig, first=6, pad_token_id=4, **roberta)
    electra = bert | dict(embedding_size=16)
    yield from encoders("Electra", tf.ElectraConfig, types=2, **electra)
    yield from encoders("Electra", tf.ElectraConfig, types=2, heads=("ForMaskedLM",),
                        variant=" of one size", **(electra | dict(embedding_size=24)))  # fmt: skip
    albert = bert | dict(embedding_size=16, classifier_dropout_prob=0.0)  # traps 15 to 17
    yield from encoders("Albert", tf.AlbertConfig, types=2, **albert)
    yield from encoders("Albert", tf.AlbertConfig, types=2, heads=("ForMaskedLM", "Model"),
                        variant=" in groups", num_hidden_groups=2, inner_group_num=2,
                        **(albert | dict(num_hidden_layers=4)))  # fmt: skip
    yield from encoders("Albert", tf.AlbertConfig, types=2, heads=("ForMaskedLM",), variant=" untied",
                        tie_word_embeddings=False, **albert)  # trap 4  # fmt: skip
    distilbert = dict(vocab_size=VOCABULARY, dim=24, n_heads=3, n_layers=2, hidden_dim=40,
                      max_position_embeddings=30, dropout=0.0, attention_dropout=0.0,
                      seq_classif_dropout=0.0, qa_dropout=0.0)  # fmt: skip
    yield from encoders("DistilBert", tf.DistilBertConfig, **distilbert)
    yield from encoders("DistilBert", tf.DistilBertConfig, heads=("ForMaskedLM",),
                        variant=" with sinusoids", sinusoidal_pos_embds=True, activation="relu",
                        **distilbert)  # fmt: skip


def modernbert():
    config = SMALL | dict(local_attention=6, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                          cls_token_id=1, sep_token_id=2, num_hidden_layers=4)  # fmt: skip
    yield from encoders("ModernBert", tf.ModernBertConfig, **config)
    biased = config | dict(norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True,
                           classifier_pooling="mean", decoder_bias=False)  # fmt: skip
    yield from encoders("ModernBert", tf.ModernBertConfig, variant=" with biases",
                        heads=("ForMaskedLM", "ForSequenceClassification"), **biased)  # fmt: skip


def decoders(name, config, heads=DECODER_HEADS, variant="", **more):
    more = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2) | more
    yield from encoders(name, config, heads=heads, variant=variant, **more)


def llama_like():
    grouped = SMALL | dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=2)
    causal = ("ForCausalLM",)

    def rope(**parameters):
        return dict(rope_parameters=dict(rope_theta=10_000.0) | parameters)

    yield from decoders("Llama", tf.LlamaConfig, **grouped)  # traps 37, 39
    yield from decoders("Llama", tf.LlamaConfig, causal, " tied", tie_word_embeddings=True,
                        **grouped)  # trap 4  # fmt: skip
    yield from decoders("Llama", tf.LlamaConfig, causal, " with biases", attention_bias=True,
                        mlp_bias=True, head_dim=16, rms_norm_eps=1e-5,
                        **grouped)  # traps 18, 39  # fmt: skip
    yield from decoders("Llama", tf.LlamaConfig, causal, " linear", **grouped,
                        **rope(rope_type="linear", factor=2.5))  # trap 38  # fmt: skip
    yield from decoders("Llama", tf.LlamaConfig, causal, " llama3", **grouped,
                        **rope(rope_type="llama3", factor=8.0, low_freq_factor=1.0,
                               high_freq_factor=4.0, original_max_position_embeddings=20))
    yield from decoders("Llama", tf.LlamaConfig, causal, " yarn", **grouped,
                        **rope(rope_type="yarn", factor=4.0,
                               original_max_position_embeddings=20))  # fmt: skip
    yield from decoders("Mistral", tf.MistralConfig, sliding_window=4, **grouped)
    yield from decoders("Mistral", tf.MistralConfig, causal, " without a window",
                        sliding_window=None, **grouped)  # fmt: skip
    yield from decoders("Qwen2", tf.Qwen2Config, use_sliding_window=True, sliding_window=4,
                        max_window_layers=1, **grouped)  # fmt: skip
    yield from decoders("Qwen2", tf.Qwen2Config, causal, " tied", tie_word_embeddings=True,
                        **grouped)  # fmt: skip
    yield from decoders("Qwen3", tf.Qwen3Config, head_dim=12, **grouped)
    yield from decoders("Qwen3", tf.Qwen3Config, causal, " with biases", head_dim=8,
                        attention_bias=True, **grouped)  # fmt: skip
    yield from decoders("Gemma2", tf.Gemma2Config, DECODER_HEADS[:-1], head_dim=16, query_pre_attn_scalar=10,
                        sliding_window=4, **grouped)  # fmt: skip
    yield from decoders("Gemma2", tf.Gemma2Config, causal, " without softcaps", head_dim=8,
                        attn_logit_softcapping=None, final_logit_softcapping=None,
                        **grouped)  # fmt: skip


def gpts():
    gpt2 = dict(vocab_size=VOCABULARY, n_positions=30, n_embd=24, n_layer=2, n_head=3,
                resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, pad_token_id=0, bos_token_id=1,
                eos_token_id=2)  # traps 1, 2  # fmt: skip
    heads = ("Model", "LMHeadModel", *DECODER_HEADS[2:])
    yield from encoders("GPT2", tf.GPT2Config, heads=heads, **gpt2)
    yield from encoders("GPT2", tf.GPT2Config, heads=("LMHeadModel",), variant=" scaled by layer",
                        scale_attn_by_inverse_layer_idx=True, n_inner=37, **gpt2)  # fmt: skip
    yield from encoders("GPT2", tf.GPT2Config, heads=("LMHeadModel",), variant=" unscaled, untied",
                        scale_attn_weights=False, activation_function="relu",
                        tie_word_embeddings=False, **gpt2)  # fmt: skip
    neox = SMALL | dict(hidden_size=48, rotary_pct=0.25)
    yield from decoders("GPTNeoX", tf.GPTNeoXConfig, **neox)
    yield from decoders("GPTNeoX", tf.GPTNeoXConfig, ("ForCausalLM",), " one after the other",
                        use_parallel_residual=False, attention_bias=False, **neox)  # fmt: skip


def sequences():
    bart = dict(vocab_size=VOCABULARY, d_model=24, encoder_layers=2, decoder_layers=3,
                encoder_attention_heads=3, decoder_attention_heads=4, encoder_ffn_dim=40,
                decoder_ffn_dim=44, max_position_embeddings=30, dropout=0.0)  # fmt: skip

    def case(name, kind, config, **more):
        return Case(name, lambda: kind(config(**more)), targets=True)

    yield case("Bart", tf.BartForConditionalGeneration, tf.BartConfig, **bart)
    yield case("Bart scaled", tf.BartForConditionalGeneration, tf.BartConfig, scale_embedding=True,
               activation_function="gelu_new", **bart)  # traps 14, 30  # fmt: skip
    marian = bart | dict(pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
    yield case("Marian", tf.MarianMTModel, tf.MarianConfig, scale_embedding=True,
               activation_function="swish", **marian)  # fmt: skip
    yield case("Marian of two vocabularies", tf.MarianMTModel, tf.MarianConfig,
               share_encoder_decoder_embeddings=False, decoder_vocab_size=VOCABULARY + 4,
               **marian)  # fmt: skip
    t5 = dict(vocab_size=VOCABULARY, d_model=24, d_kv=10, d_ff=40, num_layers=2,
              num_decoder_layers=3, num_heads=3, dropout_rate=0.0, decoder_start_token_id=0,
              relative_attention_num_buckets=8, relative_attention_max_distance=9)  # trap 40
    yield case("T5", tf.T5ForConditionalGeneration, tf.T5Config, **t5)
    yield case("T5 gated", tf.T5ForConditionalGeneration, tf.T5Config,
               feed_forward_proj="gated-gelu", tie_word_embeddings=False, **t5)  # fmt: skip
    heads = ("ForSequenceClassification", "ForQuestionAnswering")
    yield from encoders("Bart", tf.BartConfig, heads=("Model", *heads), end=2, **bart)
    yield from encoders("T5", tf.T5Config, heads=("EncoderModel", "ForTokenClassification", *heads), end=1,
                        **t5)  # fmt: skip
    yield from encoders("T5", tf.T5Config, heads=heads, variant=" gated", end=1, feed_forward_proj="gated-gelu",
                        tie_word_embeddings=False, **t5)  # fmt: skip


def cases():
    for part in (bert_like, modernbert, llama_like, gpts, sequences):
        yield from part()


def exact_rotary(model):
    """transformers computes the angles of rotary positions in float32, in a model of float64 too;
    here they are as exact as the rest of the oracle."""
    for module in model.modules():
        if not type(module).__name__.endswith("RotaryEmbedding"):
            continue

        def forward(x, position_ids, layer_type=None, module=module):
            prefix = f"{layer_type}_" if layer_type else ""
            inverse = getattr(module, f"{prefix}inv_freq").double()
            if getattr(module, "exact", None) is None:
                module.exact = {}
            angles = position_ids.unsqueeze(-1).double() * exact_frequencies(module, inverse, layer_type)
            scale = getattr(module, f"{prefix}attention_scaling")
            angles = torch.cat([angles, angles], -1)
            return (angles.cos() * scale).to(x.dtype), (angles.sin() * scale).to(x.dtype)

        module.forward = forward
    return model


def exact_frequencies(module, rounded, layer_type):
    parameters = module.config.rope_parameters
    parameters = parameters[layer_type] if layer_type else parameters
    kind = parameters["rope_type"]
    pairs = rounded.numel()
    plain = torch.tensor([parameters["rope_theta"] ** (-i / pairs) for i in range(pairs)],
                         dtype=torch.float64)  # fmt: skip
    if kind == "default":
        return plain
    if kind == "linear":
        return plain / parameters["factor"]
    # The rounded ones tell which share of a pair is scaled; the formula is the package's own.
    share = (rounded / plain - 1 / parameters["factor"]) / (1 - 1 / parameters["factor"])
    if kind == "yarn":
        share = torch.tensor([yarn_share(i, 2 * pairs, parameters) for i in range(pairs)]).double()
    elif kind == "llama3":
        turns = parameters["original_max_position_embeddings"] * plain / (2 * math.pi)
        low, high = parameters["low_freq_factor"], parameters["high_freq_factor"]
        share = ((turns - low) / (high - low)).clamp(0, 1)
    return plain * share + plain / parameters["factor"] * (1 - share)


def yarn_share(pair, size, parameters):
    def place(turns):
        length = parameters["original_max_position_embeddings"]
        return size * math.log(length / (turns * 2 * math.pi)) / (2 * math.log(parameters["rope_theta"]))

    low = max(math.floor(place(parameters.get("beta_fast", 32))), 0)
    high = min(math.ceil(place(parameters.get("beta_slow", 1))), size - 1)
    if low == high:
        high += 0.001
    return 1 - min(max((pair - low) / (high - low), 0), 1)
