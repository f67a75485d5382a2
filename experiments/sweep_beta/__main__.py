import sys

from experiments.sweep_beta.command import main

sys.exit(main())
