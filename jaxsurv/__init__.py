"""jaxsurv: survival models for multimodal cohorts, trained by the hundred in one compiled program.

Import what is needed from the sub-packages (``jaxsurv.survival``, ``jaxsurv.metrics``, ...); nothing
heavy is loaded here, so ``import jaxsurv`` is instant and the losses can be used without the rest.
"""

__version__ = "0.1.0"
