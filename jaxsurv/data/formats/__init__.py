"""Readers of common file formats, each from a path to a ``Cohort``."""

from jaxsurv.data.formats.cbioportal import read_cbioportal
from jaxsurv.data.formats.detect import detect_format, read_any
from jaxsurv.data.formats.geo import read_geo
from jaxsurv.data.formats.h5mu import read_h5mu
from jaxsurv.data.formats.mage_tab import read_mage_tab
from jaxsurv.data.formats.myevae import read_myevae
from jaxsurv.data.formats.xena import read_xena

__all__ = [
    "detect_format",
    "read_any",
    "read_cbioportal",
    "read_geo",
    "read_h5mu",
    "read_mage_tab",
    "read_myevae",
    "read_xena",
]
