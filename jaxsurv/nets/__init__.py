"""Flax modules. The only place that imports flax."""

from jaxsurv.nets.mlp import MLP, Dropout
from jaxsurv.nets.multimodal import MultimodalDecoder, MultimodalEncoder, Posterior

__all__ = ["MLP", "Dropout", "MultimodalDecoder", "MultimodalEncoder", "Posterior"]
