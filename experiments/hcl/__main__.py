import sys

from experiments.hcl.command import main

sys.exit(main())
