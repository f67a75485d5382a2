import sys

from experiments.inva.command import main

sys.exit(main())
