"""The linear layer, and what cross-validation says of it"""
