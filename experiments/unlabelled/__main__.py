import sys

from experiments.unlabelled.command import main

sys.exit(main())
