import sys

from experiments.latent_structure.command import main

sys.exit(main())
