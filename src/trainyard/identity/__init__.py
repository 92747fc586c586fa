"""Who somebody is and what they may do: users, sessions, tokens, one-time links, members of projects."""
