import sys

from experiments.cox_mt.command import main

sys.exit(main())
