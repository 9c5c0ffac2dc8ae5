"""The acceptance table of the webhooks, measured on real parts; `README.md` says how, and what was seen."""
