"""Notify: who hears of it. Webhook endpoints and their deliveries."""
