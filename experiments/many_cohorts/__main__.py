import sys

from experiments.many_cohorts.command import main

sys.exit(main())
