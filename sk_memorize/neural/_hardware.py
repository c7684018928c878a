"""Where the training takes place, and how precisely it computes."""

import torch


def resolve_device(device: str) -> torch.device:
    """Find the device that a name stands for.

    Parameters
    ----------
    device : str
        "auto" for the first of CUDA, MPS and the CPU that is available, or the
        name of a device of torch, such as "cpu" or "cuda:1".

    Returns
    -------
    device : torch.device
        The device.

    Raises
    ------
    ValueError
        If torch does not know the device or cannot reach it.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    names = ["cpu"]
    if torch.cuda.is_available():
        names += [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        resolved = None
    if resolved is None or not any(
        torch.device(name).type == resolved.type
        and resolved.index in (None, torch.device(name).index)
        for name in names
    ):
        raise ValueError(
            "The 'device' parameter of MemorizingMLP must be 'auto' or a device that "
            f"torch can use here ({', '.join(names)}). Got {device!r} instead."
        )
    return resolved


def resolve_precision(precision: str, device: torch.device) -> str:
    """Choose bfloat16 for "auto" where the hardware multiplies it faster.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
        What the user asked for.
    device : torch.device
        Where the products are computed.

    Returns
    -------
    precision : {"float32", "bfloat16"}
        What is used.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device.type == "cpu":
        features = torch.cpu.get_capabilities()
        fast = features.get("amx_bf16", False) or features.get("avx512_bf16", False)
    else:
        fast = False
    return "bfloat16" if fast else "float32"
