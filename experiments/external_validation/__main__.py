import sys

from experiments.external_validation.command import main

sys.exit(main())
