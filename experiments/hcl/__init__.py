"""HCL on simulated modalities with known loadings: recovery of loadings, prediction of labels."""
