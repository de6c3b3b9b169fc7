"""The names and colours of what is drawn, the same in every kind of picture.

Colours are presentation attributes made for a light page; every part has a class name, so a page's style sheet
recolours it (any CSS rule is stronger than a presentation attribute).
"""

SHORT_NAMES = {
    "identity": "identity",
    "conv_1x3_3x1": "1x3 3x1",
    "conv_1x7_7x1": "1x7 7x1",
    "dilated_conv_3x3": "dil 3x3",
    "avg_pool_3x3": "avg 3x3",
    "max_pool_3x3": "max 3x3",
    "max_pool_5x5": "max 5x5",
    "max_pool_7x7": "max 7x7",
    "conv_1x1": "conv 1x1",
    "conv_3x3": "conv 3x3",
    "sep_conv_3x3": "sep 3x3",
    "sep_conv_5x5": "sep 5x5",
    "sep_conv_7x7": "sep 7x7",
    "dilated_sep_conv_3x3": "dil sep 3x3",
    "dilated_sep_conv_5x5": "dil sep 5x5",
    "conv_7x1_1x7": "7x1 1x7",
    "conv_5x5": "conv 5x5",
    "none": "none",
    "skip_connect": "identity",
    "nor_conv_1x1": "conv 1x1",
    "nor_conv_3x3": "conv 3x3",
}
COLOURS = {  # family of operations, or activation: (fill, stroke)
    "convolution": ("#dbe9fb", "#3d78c2"),
    "separable": ("#e7e0fa", "#7a5bc4"),
    "pool": ("#fdebd0", "#c98319"),
    "identity": ("#eef0f3", "#8a94a3"),
    "none": ("#ffffff", "#a3acb8"),
    "tanh": ("#dbe9fb", "#3d78c2"),
    "relu": ("#fdebd0", "#c98319"),
    "sigmoid": ("#e7e0fa", "#7a5bc4"),
}
EDGE_COLOURS = {"current": "#2f7d6b", "previous": "#b4527a", "block": "#5b6675", "output": "#a3acb8"}
SKIP_COLOURS = {"near": "#2f7d6b", "middle": "#7a5bc4", "far": "#c98319"}  # By how many layers a skip passes.
INK, QUIET, PAPER, FRAME, FRAME_LINE = "#1d2530", "#667085", "#ffffff", "#f6f7f9", "#e4e7ec"


def family(operation: str) -> str:
    """What kind of operation it is; operations of one family share a colour."""
    if operation in ("identity", "skip_connect"):
        return "identity"
    if operation == "none":
        return "none"
    if "pool" in operation:
        return "pool"
    return "separable" if "sep_" in operation else "convolution"
