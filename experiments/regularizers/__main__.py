import sys

from experiments.regularizers.command import main

sys.exit(main())
