"""Flax modules. No other folder imports flax."""

from jaxsurv.nets.cox_nnet import CoxNnetwork
from jaxsurv.nets.cross_attention import CrossAttention
from jaxsurv.nets.images import ImageDecoder, ImageEncoder
from jaxsurv.nets.mlp import MLP, Dropout
from jaxsurv.nets.multimodal import MultimodalDecoder, MultimodalEncoder, Posterior
from jaxsurv.nets.structures import (
    ParallelMLP,
    Structured,
    StructuredNetwork,
    Subset,
    containing,
)

__all__ = [
    "MLP",
    "CoxNnetwork",
    "CrossAttention",
    "Dropout",
    "ImageDecoder",
    "ImageEncoder",
    "MultimodalDecoder",
    "MultimodalEncoder",
    "ParallelMLP",
    "Posterior",
    "Structured",
    "StructuredNetwork",
    "Subset",
    "containing",
]
