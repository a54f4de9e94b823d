"""What organisations and people are told: notices (通知), 预警, e-mail and webhooks, through one outbox."""
