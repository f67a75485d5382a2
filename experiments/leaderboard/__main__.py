import sys

from experiments.leaderboard.command import main

sys.exit(main())
