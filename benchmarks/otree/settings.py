"""oTree's settings for the reduced interview; see benchmarks/otree_contender.py."""

SESSION_CONFIGS = [{"name": "reduced", "app_sequence": ["reduced"], "num_demo_participants": 1}]
SESSION_CONFIG_DEFAULTS = {"real_world_currency_per_point": 1.0, "participation_fee": 0.0}
LANGUAGE_CODE = "fi"
REAL_WORLD_CURRENCY_CODE = "EUR"
ADMIN_USERNAME = "admin"
SECRET_KEY = "a secret of the benchmark, known to everybody"
