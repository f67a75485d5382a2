import sys

from experiments.coverage.command import main

sys.exit(main())
