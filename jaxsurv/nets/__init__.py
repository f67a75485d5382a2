"""Flax modules. The only place that imports flax."""

from jaxsurv.nets.mlp import MLP, Dropout
from jaxsurv.nets.multimodal import GaussianEncoder, MultimodalDecoder

__all__ = ["MLP", "Dropout", "GaussianEncoder", "MultimodalDecoder"]
