"""The open page: today in one sentence, joins per day, the ledger; server-rendered, Japanese and English."""
