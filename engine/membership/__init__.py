"""How people come to have an account and get back into it: what strangers ask for, and the letters that answer."""
