import sys

from experiments.hcl_survival.command import main

sys.exit(main())
