"""Tiny random models of the `transformers` package, one of each family, with a batch each. Nothing is
downloaded."""

import torch
import transformers as tf

SMALL = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=48)
NO_DROPOUT = 0.0


def ids(batch=3, length=10, vocabulary=60, first=4):
    return torch.randint(first, vocabulary, (batch, length))


def padded(input_ids, lengths=(10, 7, 5)):
    """The batch with right padding: labels and queries of what is padded count nowhere."""
    mask = (torch.arange(input_ids.shape[1]) < torch.tensor(lengths).unsqueeze(1)).long()
    return {"input_ids": input_ids, "attention_mask": mask}


def language(input_ids):
    batch = padded(input_ids)
    return batch | {"labels": input_ids.masked_fill(batch["attention_mask"] == 0, -100)}


def classes(input_ids):
    return padded(input_ids) | {"labels": torch.tensor([0, 1, 1])}


def bert_like(kind, config, p, **more):
    dropouts = dict(hidden_dropout_prob=p, attention_probs_dropout_prob=p)
    return kind(config(vocab_size=60, max_position_embeddings=40, **SMALL, **dropouts, **more))


def bert(p):
    return bert_like(tf.BertForMaskedLM, tf.BertConfig, p), language(ids())


def roberta(p):
    return bert_like(tf.RobertaForSequenceClassification, tf.RobertaConfig, p), classes(ids())


def distilbert(p):
    config = tf.DistilBertConfig(vocab_size=60, dim=32, n_heads=4, n_layers=2, hidden_dim=48,
                                 max_position_embeddings=40, dropout=p, attention_dropout=p,
                                 seq_classif_dropout=p)  # fmt: skip
    return tf.DistilBertForSequenceClassification(config), classes(ids())


def modernbert(p):
    config = tf.ModernBertConfig(vocab_size=60, max_position_embeddings=64, local_attention=6,
                                 global_attn_every_n_layers=2, pad_token_id=0, bos_token_id=1,
                                 eos_token_id=2, cls_token_id=1, sep_token_id=2,
                                 attention_dropout=p, mlp_dropout=p, embedding_dropout=p,
                                 **SMALL)  # fmt: skip
    return tf.ModernBertForMaskedLM(config), language(ids())


def gpt2(p):
    config = tf.GPT2Config(vocab_size=60, n_positions=40, n_embd=32, n_layer=2, n_head=4,
                           resid_pdrop=p, embd_pdrop=p, attn_pdrop=p, bos_token_id=1,
                           eos_token_id=2)  # fmt: skip
    return tf.GPT2LMHeadModel(config), language(ids())


def llama(p):
    config = tf.LlamaConfig(vocab_size=60, num_key_value_heads=2, attention_dropout=p, **SMALL)
    return tf.LlamaForCausalLM(config), language(ids())


def qwen2(p):
    config = tf.Qwen2Config(vocab_size=60, num_key_value_heads=2, attention_dropout=p,
                            use_sliding_window=True, sliding_window=4, max_window_layers=1,
                            **SMALL)  # fmt: skip
    return tf.Qwen2ForCausalLM(config), language(ids())


def t5(p, gated=False):
    config = tf.T5Config(vocab_size=60, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4,
                         dropout_rate=p, decoder_start_token_id=0,
                         feed_forward_proj="gated-gelu" if gated else "relu")  # fmt: skip
    return tf.T5ForConditionalGeneration(config), padded(ids()) | {"labels": ids(length=6)}


def bart(p):
    config = tf.BartConfig(vocab_size=60, d_model=32, encoder_layers=2, decoder_layers=2,
                           encoder_attention_heads=4, decoder_attention_heads=4,
                           encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=40,
                           dropout=p, attention_dropout=p, activation_dropout=p)  # fmt: skip
    return tf.BartForConditionalGeneration(config), padded(ids()) | {"labels": ids(length=6)}


def vit(p):
    config = tf.ViTConfig(image_size=16, patch_size=4, num_labels=3, hidden_dropout_prob=p,
                          attention_probs_dropout_prob=p, **SMALL)  # fmt: skip
    images = {"pixel_values": torch.randn(3, 3, 16, 16), "labels": torch.tensor([0, 2, 1])}
    return tf.ViTForImageClassification(config), images


def whisper(p):
    config = tf.WhisperConfig(vocab_size=60, num_mel_bins=8, d_model=32, encoder_layers=2,
                              decoder_layers=2, encoder_attention_heads=4,
                              decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48,
                              max_source_positions=12, max_target_positions=20, dropout=p,
                              attention_dropout=p, activation_dropout=p, pad_token_id=0,
                              bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
                              suppress_tokens=[], begin_suppress_tokens=[])  # fmt: skip
    sounds = {"input_features": torch.randn(3, 8, 24), "labels": ids(length=6)}
    return tf.WhisperForConditionalGeneration(config), sounds


def wav2vec2(p):
    config = tf.Wav2Vec2Config(conv_dim=(16, 16), conv_stride=(4, 4), conv_kernel=(8, 8),
                               num_feat_extract_layers=2, num_conv_pos_embeddings=4,
                               num_conv_pos_embedding_groups=2, vocab_size=60, num_labels=3,
                               classifier_proj_size=16, hidden_dropout=p, attention_dropout=p,
                               activation_dropout=p, feat_proj_dropout=p, final_dropout=p,
                               layerdrop=0.0, mask_time_prob=0.0, **SMALL)  # fmt: skip
    sounds = {
        "input_values": torch.randn(3, 400),
        "attention_mask": (torch.arange(400) < torch.tensor([[400], [300], [250]])).long(),
        "labels": torch.tensor([0, 2, 1]),
    }
    return tf.Wav2Vec2ForSequenceClassification(config), sounds


FAMILIES = {
    "BERT": bert,
    "RoBERTa": roberta,
    "DistilBERT": distilbert,
    "ModernBERT": modernbert,
    "GPT-2": gpt2,
    "Llama": llama,
    "Qwen2": qwen2,
    "T5": t5,
    "T5 gated": lambda p: t5(p, gated=True),
    "BART": bart,
    "ViT": vit,
    "Whisper": whisper,
    "wav2vec 2.0": wav2vec2,
}
