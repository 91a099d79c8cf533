"""A classifier of `heed train classify` by plain PyTorch, from the files of its directory: the weights of
attention, and what each did for the answer."""

import json


def weights_and_effects(folder, text, label):
    """Two tensors as lists, (layers, heads, tokens, tokens): the weights, and weight · ∂logit/∂weight of
    the class `label`."""
    import safetensors.torch
    import tokenizers
    import torch

    settings = json.loads((folder / "config.json").read_text())
    stored = safetensors.torch.load_file(folder / "model.safetensors")
    width, heads = settings["d_model"], settings["num_heads"]

    def linear(name, x):
        return torch.nn.functional.linear(x, stored[f"{name}.weight"], stored[f"{name}.bias"])

    def norm(name, x):
        return torch.nn.functional.layer_norm(x, (width,), stored[f"{name}.weight"], stored[f"{name}.bias"])

    ids = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids
    angles = torch.arange(len(ids)).unsqueeze(1) / 10000 ** (torch.arange(0, width, 2) / width)
    x = stored["embedding.weight"][ids] * width**0.5
    x = x + torch.stack([angles.sin(), angles.cos()], 2).flatten(1)
    all_weights = []
    for layer in range(settings["num_layers"]):
        name = f"encoder.layer_{layer}."
        query, key, value = (
            part.unflatten(1, (heads, -1)).transpose(0, 1)
            for part in linear(name + "attention.query_key_value", x).split(width, dim=1)
        )
        weights = (query @ key.transpose(1, 2) / (width // heads) ** 0.5).softmax(-1).requires_grad_()
        all_weights.append(weights)
        attended = (weights @ value).transpose(0, 1).flatten(1)
        x = norm(name + "attention_norm", x + linear(name + "attention.output", attended))
        hidden = linear(name + "feed_forward.up", x).relu()
        x = norm(name + "feed_forward_norm", x + linear(name + "feed_forward.down", hidden))
    logits = linear("classifier", x.mean(0))
    gradients = torch.autograd.grad(logits[label], all_weights)
    effects = [(weights * gradient).tolist() for weights, gradient in zip(all_weights, gradients)]
    return [weights.tolist() for weights in all_weights], effects
