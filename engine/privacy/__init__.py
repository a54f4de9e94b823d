"""What the law on personal data (个人信息保护法) asks for: keeping for a time, handing out, and erasing."""
